#include "apps/common/program.h"
#include "apps/programs.h"

int main(int argc, char** argv) { return cdt::run_main("cdt-merge", argc, argv, cdt::merge_main); }
