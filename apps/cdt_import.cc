// cdt-import; see apps/import/import.h.
#include "apps/common/program.h"
#include "apps/import/import.h"

int main(int argc, char** argv) {
  return cdt::run_main("cdt-import", argc, argv, cdt::import_main);
}
