// cdt-report: the figures and numbers of a run as one self-contained HTML page (apps/report/).
#include "apps/common/program.h"
#include "apps/report/report.h"

int main(int argc, char** argv) {
  return cdt::run_main("cdt-report", argc, argv, cdt::report_main);
}
