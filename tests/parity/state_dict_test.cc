// A state_dict as PyTorch users save it, without our metadata: sizes come from the tensors. As
// safetensors and as torch.save writes it, wrapped in dicts and next to other values.
#include <gtest/gtest.h>

#include "io/format/tensor_file.h"
#include "model/checkpoint.h"
#include "tests/parity/compare.h"
#include "tests/parity/fixture.h"

namespace cdt::test {
namespace {

class PlainStateDict : public ::testing::TestWithParam<const char*> {};

TEST_P(PlainStateDict, LoadsAndPredictsAsPyTorch) {
  const Fixture deep("deep");  // the same weights
  const CdtConfig want = deep.config();
  Engine engine;
  const std::unique_ptr<TensorFile> file = open_tensor_file(fixture_file(GetParam()));
  const TensorFile& reader = *file;
  const CdtConfig read =
      read_model_config(reader, {.heads = want.heads, .pool_heads = want.pool_heads});
  const std::unique_ptr<Cdt> model = load_model(reader, read, *engine.backend, engine.lasting);
  const CdtConfig& got = model->config();
  EXPECT_EQ(got.variant, want.variant);
  EXPECT_EQ(got.dna_dim, want.dna_dim);
  EXPECT_EQ(got.rna_dim, want.rna_dim);
  EXPECT_EQ(got.protein_dim, want.protein_dim);
  EXPECT_EQ(got.genes, want.genes);
  EXPECT_EQ(got.hidden, want.hidden);
  EXPECT_EQ(got.feed_forward, want.feed_forward);
  EXPECT_EQ(got.fusion, want.fusion);
  EXPECT_EQ(got.dna_layers, 3);
  EXPECT_EQ(got.rna_layers, 2);
  EXPECT_EQ(got.protein_layers, 0);

  Tape& tape = engine.tape;
  tape.eval();
  const Var logits =
      model->forward({.tape = tape,
                      .dna = tape.constant(engine.upload(deep, "input/dna")),
                      .rna = tape.constant(engine.upload(deep, "input/rna")),
                      .protein = tape.constant(engine.upload(deep, "input/protein"))});
  Comparison c(kForwardTolerance);
  c.check("task_layer", engine.download(logits->value), deep.values("value/task_layer"));
  EXPECT_TRUE(c.result());
}

INSTANTIATE_TEST_SUITE_P(Forms, PlainStateDict,
                         ::testing::Values("plain_state_dict.safetensors",
                                           "pt/plain_state_dict.pt"));

}  // namespace
}  // namespace cdt::test
