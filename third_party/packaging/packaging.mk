# What is made of a build: an archive of the sources, and an installation with man pages and completion.

PREFIX ?= /usr/local
prefix = $(PREFIX)
exec_prefix = $(prefix)
bindir = $(exec_prefix)/bin
datarootdir = $(prefix)/share
datadir = $(datarootdir)
mandir = $(datarootdir)/man
docdir = $(datarootdir)/doc/cdt-engine
PACKAGING := third_party/packaging

.PHONY: dist install uninstall man

dist:  ## the sources as build/cdt-engine-VERSION.tar.gz, the same bytes for the same commit
	@$(PACKAGING)/dist.sh $(VERSION) $(BUILD)

# Through the environment, so that a path may hold any character.
install uninstall: export DESTDIR := $(DESTDIR)
install uninstall: export bindir := $(bindir)
install uninstall: export mandir := $(mandir)
install uninstall: export datadir := $(datadir)
install uninstall: export docdir := $(docdir)

install: $(if $(NOT_BUILT),all)  ## programs, man pages, completion and docs below PREFIX; builds what is missing
	@$(PACKAGING)/install.sh $(BUILD)/bin

uninstall:  ## remove what install wrote, and nothing else
	@$(PACKAGING)/uninstall.sh

man: $(if $(NOT_BUILT),all)  ## a man page for every program, into build/man
	@$(PACKAGING)/man_pages.sh $(BUILD)/bin $(BUILD)/man
