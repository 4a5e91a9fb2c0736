// cdt-attribute: attention and gradient windows of chosen pairs (apps/attribute/).
#include "apps/attribute/attribute.h"
#include "apps/common/program.h"

int main(int argc, char** argv) {
  return cdt::run_main("cdt-attribute", argc, argv, cdt::attribute_main);
}
