// Files of torch.save in every form, written by PyTorch (record_pt.py): supported files give the
// saved values, and the others are refused by name.
#include "io/format/pt.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "tests/parity/fixture.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"
#include "tests/support/zip_bytes.h"

namespace cdt::test {
namespace {

std::filesystem::path pt_path(const std::string& name) {
  return fixture_file("pt/" + name + ".pt");
}

/// Element i of a storage of the fixtures.
float stored(std::int64_t i) { return static_cast<float>(i) / 2.0F - 3.0F; }

/// An expected tensor: which elements of a storage it has.
struct Expected {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> elements;
  std::string dtype = "F32";
};

std::vector<std::int64_t> first(std::int64_t count) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

Expected w() { return {"w", {3, 4}, first(12)}; }
Expected b() { return {"b", {3}, first(3)}; }
Expected w(const std::string& dtype) { return {"w", {3, 4}, first(12), dtype}; }
Expected turned(const std::string& dtype = "F32") {
  return {"w", {3, 4}, {0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}, dtype};
}
Expected prefixed(const std::string& prefix, Expected tensor) {
  tensor.name = prefix + tensor.name;
  return tensor;
}

void expect_tensors(const TensorFile& file, const std::vector<Expected>& expected) {
  ASSERT_EQ(file.tensors().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Expected& want = expected[i];
    SCOPED_TRACE(want.name);
    EXPECT_EQ(file.tensors()[i].name, want.name);
    EXPECT_EQ(file.tensors()[i].shape, want.shape);
    EXPECT_EQ(file.tensors()[i].dtype, want.dtype);
    std::vector<float> got(want.elements.size() + 1, 77.0F), values;
    for (const std::int64_t element : want.elements) values.push_back(stored(element));
    values.push_back(77.0F);  // nothing is written past the end
    file.read(want.name, got.data());
    EXPECT_EQ(got, values);
  }
}

void expect_file(const std::string& name, const std::vector<Expected>& expected) {
  SCOPED_TRACE(name);
  const std::unique_ptr<TensorFile> file = open_tensor_file(pt_path(name));
  expect_tensors(*file, expected);
}

TEST(PtFile, DictsAndNumberTypes) {
  for (const char* name : {"ordered_dict", "dict", "parameters", "archive", "no_checksums"}) {
    const bool frozen = std::string(name) == "parameters";
    expect_file(name, {w(), frozen ? Expected{"frozen", {3}, first(3)} : b()});
  }
  expect_file("float64", {w("F64"), b()});
  expect_file("float16", {w("F16"), b()});
  expect_file("bfloat16", {w("BF16"), b()});
}

TEST(PtFile, ViewsOfStorages) {
  expect_file("transposed", {turned()});
  expect_file("transposed_half", {turned("F16")});
  expect_file("columns", {{"w", {3, 2}, {1, 2, 5, 6, 9, 10}}});
  expect_file("rows", {{"w", {3, 2}, {2, 3, 4, 5, 6, 7}}});
  expect_file("every_second", {{"w", {6}, {1, 3, 5, 7, 9, 11}}});
  expect_file("permuted", {{"w", {4, 2, 3}, {0, 4, 8,  12, 16, 20, 1, 5, 9,  13, 17, 21,
                                             2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23}}});
  expect_file("channels_last", {{"w", {2, 3, 2, 2}, first(24)}});
  expect_file("expanded", {{"w", {3, 4}, {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}}});
  expect_file("shared", {w(),
                         {"again", {3, 4}, first(12)},
                         {"turned", {4, 3}, {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}},
                         {"last", {4}, {8, 9, 10, 11}}});
  expect_file("empty_and_scalar", {{"none", {0, 3}, {}}, {"one", {}, {1}}});
}

TEST(PtFile, WhereTheStateDictLies) {
  for (const char* key : {"model_state_dict", "state_dict", "model"}) {
    expect_file(std::string("in_") + key, {w(), b()});
  }
  expect_file("beside_loss", {w(), b()});
  for (const char* protocol : {"3", "4", "5"}) {
    const PtReader file(pt_path(std::string("protocol_") + protocol));
    expect_tensors(file, {w(), b()});
    const PickleValue& root = file.archive().root();
    EXPECT_EQ(pickled_number(*root.find("epoch")), 300.0);
    EXPECT_EQ(pickled_number(*root.find("best")), 0.5);
  }
  for (const char* prefix : {"module.", "_orig_mod.", "module._orig_mod."}) {
    const std::string form = prefix;
    const char* name = form == "module."      ? "parallel"
                       : form == "_orig_mod." ? "compiled"
                                              : "compiled_parallel";
    expect_file(name, {prefixed(prefix, w()), prefixed(prefix, b())});
  }
}

TEST(PtFile, OtherTypesAreListedButNotRead) {
  const PtReader file(pt_path("buffers"));
  EXPECT_EQ(file.info("count").dtype, "I64");
  EXPECT_EQ(file.info("on").dtype, "BOOL");
  EXPECT_EQ(file.info("unsigned").dtype, "U16");
  EXPECT_EQ(file.info("unsigned").shape, std::vector<std::int64_t>{2});
  float out = 0;
  expect_message(input_error([&] { file.read("count", &out); }), file.path(), "count",
                 "dtype (expected F32, F16, BF16 or F64, got I64)");
  const PtReader module(pt_path("module_state"));
  EXPECT_EQ(module.info("norm.num_batches_tracked").shape, std::vector<std::int64_t>{});
  std::vector<float> weight(6);
  module.read("linear.weight", weight.data());
  EXPECT_EQ(weight[5], stored(5));
}

TEST(PtFile, PlainValuesBesideTheTensors) {
  const PtReader file(pt_path("extras"));
  expect_tensors(file, {w(), b()});
  const PickleValue& numbers = *file.archive().root().find("numbers");
  ASSERT_EQ(numbers.items.size(), 10U);
  const auto number = [&](std::size_t i) { return pickled_number(*numbers.items[i]); };
  EXPECT_EQ(number(0), 1.0);
  EXPECT_EQ(number(1), -70000.0);
  EXPECT_EQ(number(2), 1099511627776.0);
  EXPECT_EQ(number(3), 0.25);
  EXPECT_EQ(number(4), 1.0);
  EXPECT_EQ(number(5), std::nullopt);
  EXPECT_EQ(numbers.items[6]->text, "text");
  EXPECT_EQ(number(7), 1.5);
  EXPECT_EQ(number(8), -4.0);
  EXPECT_EQ(number(9), std::nullopt);
}

struct Refusal {
  const char *name, *field, *what;
};

TEST(PtFile, RefusedByName) {
  const char* kSave = "torch.save(model.state_dict(), \"model.pt\")";
  const std::vector<Refusal> refusals = {
      {"old_form", "format", "torch.save(torch.load(\"old.pt\", weights_only=True)"},
      {"whole_module", "data.pkl", "holds a whole Python object, of __main__.Affine"},
      {"whole_module", "data.pkl", kSave},
      {"module_inside", "data.pkl", "refers to torch.nn.modules.linear.Linear"},
      {"module_inside", "data.pkl", kSave},
      {"namespace", "data.pkl", "refers to argparse.Namespace"},
      {"command", "data.pkl", "refers to posix.system"},
      {"command_5", "data.pkl", "refers to posix.system"},
      {"sparse", "data.pkl", "refers to torch._utils._rebuild_sparse_tensor"},
      {"complex", "data.pkl", "refers to torch.ComplexFloatStorage"},
      {"list", "content", "is no state_dict"},
      {"numbered", "content", "a name in its state_dict is no text"},
      {"negated", "w", "negates its storage"},
      {"no_tensors", "content", "got 2 keys (epoch, loss)"},
      {"other_entries", "epoch", "is no tensor"},
      {"torchscript", "format", "is a TorchScript program"},
      {"protocol_1", "data.pkl", "no pickle of protocol 2"}};
  for (const Refusal& r : refusals) {
    SCOPED_TRACE(r.name);
    const std::filesystem::path path = pt_path(std::string("refused_") + r.name);
    expect_message(input_error([&] { open_tensor_file(path); }), path, r.field, r.what);
  }
}

/// The members of a file, to be packed again with a change.
class PtDamage : public ::testing::Test {
 protected:
  PtDamage() {
    const ZipArchive archive(pt_path("dict"));
    for (const auto& [name, member] : archive.members()) {
      members_.push_back({name, archive.read(name, 100000)});
    }
  }
  std::string& content(const std::string& name) {
    for (ZipEntry& m : members_) {
      if (m.name == name) return m.content;
    }
    throw std::runtime_error(name);
  }
  void replace(const std::string& from, const std::string& to) {
    std::string& pickle = content("dict/data.pkl");
    const std::size_t at = pickle.find(from);
    ASSERT_NE(at, std::string::npos);
    pickle.replace(at, from.size(), to);
  }
  std::string error() {
    write_bytes(path_, zip(members_));
    return input_error([&] {
      const std::unique_ptr<TensorFile> file = open_tensor_file(path_);
      std::vector<float> values(1000);
      for (const TensorInfo& info : file->tensors()) file->read(info.name, values.data());
    });
  }
  void expect(const std::string& field, const char* what) {
    expect_message(error(), path_, field, what);
  }

  TempDir dir_;
  std::filesystem::path path_ = dir_.path / "model.pt";
  std::vector<ZipEntry> members_;
};

// In the pickle of (3, 4): K <storage offset> K 3 K 4 TUPLE2, then K 4 K 1 TUPLE2, the strides.
const std::string kShape = "K\x03K\x04\x86", kStrides = "K\x04K\x01\x86";

TEST_F(PtDamage, TheUndamagedIsRead) { EXPECT_EQ(error(), ""); }

TEST_F(PtDamage, ViewsThatLeaveTheirStorage) {
  replace(kShape, "K\x03K\x05\x86");
  expect("w", "reaches past the end of its storage dict/data/0");
}

TEST_F(PtDamage, StridesThatLeaveTheStorage) {
  replace(kStrides, std::string("K\xffK\xff\x86"));
  expect("w", "reaches past the end");
}

TEST_F(PtDamage, HugeShapes) {
  const std::string huge = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";  // 2^63 - 1
  replace(kShape, huge + huge + "\x86");
  expect("w", "is too large");
}

TEST_F(PtDamage, HugeStrides) {
  const std::string huge = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";
  replace(kStrides, huge + huge + "\x86");
  expect("w", "reaches past the end");
}

TEST_F(PtDamage, NegativeSizes) {
  replace(kShape, std::string("J\xff\xff\xff\xffK\x04\x86"));
  expect("w", "no list of sizes");
}

TEST_F(PtDamage, RanksThatDiffer) {
  replace(kStrides, "K\x04\x85");
  expect("w", "no list of sizes");
}

TEST_F(PtDamage, StoragesOfAnotherSize) {
  content("dict/data/0").pop_back();
  expect("w", "has another size (expected 12 values, got 47 bytes)");
}

TEST_F(PtDamage, MissingStorages) {
  for (ZipEntry& m : members_) {
    if (m.name == "dict/data/1") m.name = "dict/data/2";
  }
  expect("b", "its storage dict/data/1 is missing");
}

TEST_F(PtDamage, StoragesWhoseChecksumDiffers) {
  for (ZipEntry& m : members_) m.crc_flip = m.name == "dict/data/1" ? 1 : 0;
  expect("dict/data/1", "checksum differs");
}

TEST_F(PtDamage, CompressedStorages) {
  for (ZipEntry& m : members_) m.method = m.name == "dict/data/0" ? 8 : 0;
  expect("dict/data/0", "is compressed");
}

TEST_F(PtDamage, OtherByteOrder) {
  content("dict/byteorder") = "big";
  expect("dict/byteorder", "expected little, got big");
}

TEST_F(PtDamage, OtherArchives) {
  for (ZipEntry& m : members_) m.name = m.name.substr(5);
  expect("archive", "is no file of torch.save (expected one NAME/data.pkl, got none)");
  write_bytes(path_, "\x80\x02 a pickle");
  expect_message(input_error([&] { open_tensor_file(path_); }), path_, "format", "old form");
}

TEST_F(PtDamage, PicklesCutShort) {
  const std::string whole = content("dict/data.pkl");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    content("dict/data.pkl") = whole.substr(0, size);
    EXPECT_NE(error(), "") << size;
  }
  content("dict/data.pkl") = whole + ".";
  expect("data.pkl", "goes on after its end");
}

TEST_F(PtDamage, PicklesWithOneByteChanged) {
  const std::string whole = content("dict/data.pkl");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x80U}) {
      std::string& pickle = content("dict/data.pkl");
      pickle = whole;
      pickle[at] = static_cast<char>(static_cast<unsigned char>(pickle[at]) ^ flip);
      error();  // an InputError or none; anything else fails the test
    }
  }
}

TEST_F(PtDamage, OneNameTwice) {
  std::string& pickle = content("dict/data.pkl");
  pickle.replace(pickle.find("\x01" + std::string(3, '\0') + "b"), 5,
                 "\x01" + std::string(3, '\0') + "w");
  expect("w", "two tensors have this name");
}

}  // namespace
}  // namespace cdt::test
