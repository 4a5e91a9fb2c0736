#!/bin/bash
# Filter: mangled names of kernels, in lines of any text, become the short ones of the reports.
set -euo pipefail
c++filt -p | sed -E 's/\(anonymous namespace\):://g; s/cdt::([a-z_]+::)*//g'
