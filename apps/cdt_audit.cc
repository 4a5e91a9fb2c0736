#include "apps/common/program.h"
#include "apps/programs.h"

int main(int argc, char** argv) { return cdt::run_main("cdt-audit", argc, argv, cdt::audit_main); }
