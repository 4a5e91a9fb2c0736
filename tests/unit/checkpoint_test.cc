// model.safetensors: round trips, plain state_dicts, and refused files.
#include "model/checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/format/safetensors.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_backend.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;

/// All sizes differ from each other and from the defaults.
CdtConfig odd_config(Variant variant) {
  CdtConfig c;
  c.variant = variant;
  c.dna_dim = 5;
  c.rna_dim = 7;
  c.protein_dim = 3;
  c.genes = 11;
  c.hidden = 24;
  c.heads = 3;
  c.pool_heads = 2;
  c.feed_forward = 13;
  c.fusion = 17;
  c.dna_layers = 3;
  c.rna_layers = 0;
  c.protein_layers = 2;
  c.dropout = 0.1F;
  return c;
}

class Checkpoint : public ::testing::TestWithParam<Variant> {
 protected:
  /// A model with its own arena.
  Cdt& make(const CdtConfig& config) {
    arenas.push_back(std::make_unique<Arena>(*backend, "lasting"));
    models.push_back(std::make_unique<Cdt>(config, *backend, *arenas.back(), true));
    models.back()->initialise(5);
    return *models.back();
  }
  std::unique_ptr<Cdt> load(const std::filesystem::path& file, const ModelOverrides& overrides) {
    arenas.push_back(std::make_unique<Arena>(*backend, "lasting"));
    const SafetensorsReader reader(file);
    return load_model(reader, read_model_config(reader, overrides), *backend, *arenas.back());
  }
  std::vector<float> values(const Parameter& p) const {
    std::vector<float> out(static_cast<std::size_t>(p.variable.value.count()));
    backend->download(out.data(), p.variable.value);
    return out;
  }
  /// A copy of `file` after `change`, with or without the metadata.
  struct Content {
    std::vector<TensorInfo> tensors;
    std::vector<std::vector<float>> values;
    std::map<std::string, std::string> metadata;
  };
  static Content read(const std::filesystem::path& file) {
    const SafetensorsReader reader(file);
    Content out{reader.tensors(), {}, reader.metadata()};
    for (const TensorInfo& info : out.tensors) {
      std::size_t n = 1;
      for (const std::int64_t d : info.shape) n *= static_cast<std::size_t>(d);
      out.values.emplace_back(n);
      reader.read(info.name, out.values.back().data());
    }
    return out;
  }
  static void write(const std::filesystem::path& file, const Content& content) {
    std::vector<TensorToWrite> tensors;
    for (std::size_t i = 0; i < content.tensors.size(); ++i) {
      tensors.push_back(
          {content.tensors[i].name, content.tensors[i].shape, content.values[i].data()});
    }
    write_safetensors(file, tensors, content.metadata);
  }
  static std::size_t index_of(const Content& content, const std::string& name) {
    for (std::size_t i = 0; i < content.tensors.size(); ++i) {
      if (content.tensors[i].name == name) return i;
    }
    ADD_FAILURE() << name;
    return 0;
  }

  test::TempDir dir;
  std::filesystem::path model_file = dir.path / "model.safetensors";
  std::filesystem::path other_file = dir.path / "other.safetensors";
  std::unique_ptr<Backend> backend = test::make_test_backend();
  std::vector<std::unique_ptr<Arena>> arenas;
  std::vector<std::unique_ptr<Cdt>> models;
};

void expect_equal(const CdtConfig& a, const CdtConfig& b) {
  EXPECT_EQ(model_config_json(a), model_config_json(b));
}

TEST_P(Checkpoint, SaveLoadSaveGivesTheSameBytes) {
  const CdtConfig config = odd_config(GetParam());
  const Cdt& model = make(config);
  EXPECT_EQ(save_model(model_file, model, *backend), weights_digest(model, *backend));
  const std::unique_ptr<Cdt> loaded = load(model_file, {});
  expect_equal(loaded->config(), config);
  EXPECT_EQ(loaded->config().dropout, 0.1F);
  ASSERT_EQ(loaded->parameters().size(), model.parameters().size());
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    EXPECT_EQ(values(loaded->parameters()[i]), values(model.parameters()[i]));
  }
  save_model(other_file, *loaded, *backend);
  EXPECT_EQ(test::read_bytes(other_file), test::read_bytes(model_file));
}

TEST_P(Checkpoint, PlainStateDictGivesItsSizes) {
  CdtConfig config = odd_config(GetParam());
  save_model(model_file, make(config), *backend);
  Content content = read(model_file);
  content.metadata = {{"format", "pt"}};  // what safetensors.torch writes
  write(other_file, content);
  const std::unique_ptr<Cdt> loaded = load(other_file, {.heads = 3, .pool_heads = 2});
  config.dropout = CdtConfig{}.dropout;
  // The paper variant has no feed-forward width apart from its self-attention blocks, and no pool
  // heads.
  if (GetParam() == Variant::kPaper) config.pool_heads = loaded->config().pool_heads;
  expect_equal(loaded->config(), config);
}

/// Prefixes of DataParallel and torch.compile, nested.
TEST_P(Checkpoint, MetadataFromElsewhereIsNotOurs) {
  const Cdt& model = make(odd_config(GetParam()));
  save_model(model_file, model, *backend);
  Content content = read(model_file);
  content.metadata = {{"config", "{}"}, {"epoch", "3"}};
  write(other_file, content);
  const std::unique_ptr<Cdt> loaded = load(other_file, {.heads = 3, .pool_heads = 2});
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    EXPECT_EQ(values(loaded->parameters()[i]), values(model.parameters()[i]));
  }
}

TEST_P(Checkpoint, PrefixesOfWrappersAreLeftOut) {
  const Cdt& model = make(odd_config(GetParam()));
  save_model(model_file, model, *backend);
  Content content = read(model_file);
  for (const char* prefix : {"module.", "_orig_mod."}) {
    for (TensorInfo& info : content.tensors) info.name.insert(0, prefix);
    write(other_file, content);
    ::testing::internal::CaptureStderr();
    const std::unique_ptr<Cdt> loaded = load(other_file, {});
    const std::string notes = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(notes.begin(), notes.end(), '\n'), 1) << notes;
    EXPECT_NE(notes.find("begins with " + std::string(prefix)), std::string::npos) << notes;
    for (std::size_t i = 0; i < model.parameters().size(); ++i) {
      EXPECT_EQ(values(loaded->parameters()[i]), values(model.parameters()[i]));
    }
  }
  content.tensors[1].name = "loose";
  write(other_file, content);
  expect_message(input_error([&] { load(other_file, {}); }), other_file, "loose", "_orig_mod.");
}

INSTANTIATE_TEST_SUITE_P(Variants, Checkpoint,
                         ::testing::Values(Variant::kReleased, Variant::kPaper),
                         [](const auto& info) { return variant_name(info.param); });

class BadCheckpoint : public Checkpoint {
 protected:
  void SetUp() override { save_model(model_file, make(odd_config(Variant::kReleased)), *backend); }
  /// The error message for the file after `change`.
  template <class Change>
  std::string complaint(const Change& change, const ModelOverrides& overrides = {}) {
    Content content = read(model_file);
    change(content);
    write(other_file, content);
    return input_error([&] { load(other_file, overrides); });
  }
};

TEST_F(BadCheckpoint, MissingTensor) {
  const std::string message = complaint([](Content& c) {
    const std::size_t i = index_of(c, "vce.rna_query");
    c.tensors.erase(c.tensors.begin() + static_cast<std::ptrdiff_t>(i));
    c.values.erase(c.values.begin() + static_cast<std::ptrdiff_t>(i));
  });
  expect_message(message, other_file, "vce.rna_query", "no such tensor");
}

TEST_F(BadCheckpoint, UnknownTensor) {
  const std::string message = complaint([](Content& c) {
    c.tensors.push_back({"dna_projector.extra", {2}, "F32"});
    c.values.push_back({1.0F, 2.0F});
  });
  expect_message(message, other_file, "dna_projector.extra", "the model has no such tensor");
}

TEST_F(BadCheckpoint, WrongShape) {
  const std::string message = complaint([](Content& c) {
    const std::size_t i = index_of(c, "task_layer.3.bias");
    c.tensors[i].shape = {12};
    c.values[i].resize(12);
  });
  expect_message(message, other_file, "task_layer.3.bias", "expected (11), got (12)");
}

TEST_F(BadCheckpoint, NotFinite) {
  const std::string message = complaint([](Content& c) {
    c.values[index_of(c, "rna_projector.norm.weight")][4] = std::numeric_limits<float>::quiet_NaN();
  });
  expect_message(message, other_file, "rna_projector.norm.weight", "element 4 is nan");
}

TEST_F(BadCheckpoint, OverrideAgainstTheRecord) {
  const std::string message = complaint([](Content&) {}, {.heads = 4});
  expect_message(message, other_file, "heads", "expected 3, got 4");
}

TEST_F(BadCheckpoint, UnrecordedHeadsThatCannotBeTheReferences) {
  const std::string message = complaint([](Content& c) {
    c.metadata.clear();
    const std::size_t i = index_of(c, "dna_projector.linear.weight");
    c.tensors[i].shape = {20, 6};
  });
  expect_message(message, other_file, "heads", "give --heads N");
}

TEST_F(BadCheckpoint, MetadataOfAnotherKind) {
  expect_message(complaint([](Content& c) { c.metadata["format"] = "cdt-train-state"; }),
                 other_file, "metadata.format", "expected cdt-checkpoint");
  expect_message(complaint([](Content& c) { c.metadata["version"] = "2"; }), other_file,
                 "metadata.version", "expected 1, got 2");
  expect_message(complaint([](Content& c) { c.metadata.erase("config"); }), other_file,
                 "metadata.config", "missing");
}

TEST_F(BadCheckpoint, ConfigurationThatIsNone) {
  const std::string at = other_file.string() + ": metadata.config";
  const auto with_config = [&](const std::string& from, const std::string& to) {
    return complaint([&](Content& c) {
      std::string& text = c.metadata["config"];
      text.replace(text.find(from), from.size(), to);
    });
  };
  expect_message(with_config("\"genes\":11", "\"genes\":-1"), at, "genes", "");
  expect_message(with_config("\"genes\":11", "\"genes\":11.5"), at, "genes", "");
  expect_message(with_config("\"genes\":11", "\"jeans\":11"), at, "genes", "");
  expect_message(with_config("\"dropout\":0.1", "\"dropout\":1"), at, "dropout", "out of range");
  expect_message(with_config("released", "v4"), at, "variant", "v4");
  expect_message(with_config("\"hidden\":24", "\"hidden\":999999"), at, "hidden",
                 "is not that of the tensors (expected 24, got 999999)");
  expect_message(with_config("\"dna_layers\":3", "\"dna_layers\":900"), at, "dna_layers",
                 "got 900");
  expect_message(with_config("\"heads\":3", "\"heads\":5"), other_file, "configuration", "heads 5");
}

TEST_F(BadCheckpoint, SomethingElseEntirely) {
  Content content{{{"weight", {1}, "F32"}}, {{1.0F}}, {}};
  write(other_file, content);
  expect_message(input_error([&] { load(other_file, {}); }), other_file,
                 "dna_projector.linear.weight", "no checkpoint of the model");
}

}  // namespace
}  // namespace cdt
