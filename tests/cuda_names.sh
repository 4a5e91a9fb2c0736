#!/bin/bash
# Filter: replaces mangled kernel names, anywhere in the text, by the short ones of the reports.
set -euo pipefail
c++filt -p | sed -E 's/\(anonymous namespace\):://g; s/cdt::([a-z_]+::)*//g'
