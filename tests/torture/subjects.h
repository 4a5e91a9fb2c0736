// The subjects of the torture; each has a suite of its own.
#pragma once

#include "tests/torture/suite.h"

namespace cdt::test {

void test_faults(Suite& suite);  // ENOSPC, EIO, EDQUOT, short writes at every call of every program
void test_kills(Suite& suite);   // SIGKILL at every call that changes a file, and at random moments
void test_power(Suite& suite);   // power loss: what was not flushed is dropped
void test_inputs(Suite& suite);  // a data set that vanishes or shrinks under a running program
void test_together(Suite& suite);  // several programs in one folder
void test_clock(Suite& suite);     // a clock that is set back

}  // namespace cdt::test
