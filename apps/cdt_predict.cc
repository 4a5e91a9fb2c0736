// cdt-predict: predicts one split and evaluates the predictions (apps/predict/).
#include "apps/common/program.h"
#include "apps/predict/predict.h"

int main(int argc, char** argv) {
  return cdt::run_main("cdt-predict", argc, argv, cdt::predict_main);
}
