#include "tests/bench/paper_workloads.h"

#include "engine/error.h"
#include "engine/optim/adamw.h"
#include "model/explain/attribution.h"
#include "model/explain/attribution_batch.h"

namespace cdt {
namespace {

constexpr double kLearningRate = 1e-4;

class Training final : public PaperWorkload {
 public:
  Training(std::unique_ptr<Backend> on, const PaperSizes& sizes)
      : PaperWorkload(std::move(on), sizes, true, 1),
        dna_(world().random({sizes.batch, sizes.bins, sizes.dna_dim})),
        target_(world().random({sizes.batch})),
        index_(world().lasting.tensor({sizes.batch}, Dtype::kInt32)),
        optimiser_(world().model.variables(), backend(), world().lasting, {}) {
    std::vector<std::int32_t> genes(static_cast<std::size_t>(sizes.batch));
    for (std::size_t i = 0; i < genes.size(); ++i) {
      genes[i] = static_cast<std::int32_t>(i * 17 % static_cast<std::size_t>(sizes.genes));
    }
    backend().upload(index_, genes.data());
  }

  void run() override {
    backend().begin_step(++step_);
    optimiser_.begin_step(kLearningRate);
    backend().run_recorded("train", {dna_, target_, index_}, [this] { compute(); });
  }

 private:
  void compute() {
    PaperWorld& w = world();
    w.tape.train(1, step_);
    w.model.zero_gradients();
    const Var predictions = w.model.forward_pairs({.tape = w.tape,
                                                   .dna = w.tape.constant(dna_),
                                                   .rna = w.tape.constant(w.rna),
                                                   .protein = w.tape.constant(w.protein)},
                                                  index_);
    w.tape.backward(huber(w.tape, predictions, target_, 1.0F));
    optimiser_.clip_and_update(1.0);
    w.tape.clear();
  }

  Tensor dna_, target_, index_;
  AdamW optimiser_;
  std::uint32_t step_ = 0;
};

class Prediction final : public PaperWorkload {
 public:
  Prediction(std::unique_ptr<Backend> on, const PaperSizes& sizes)
      : PaperWorkload(std::move(on), sizes, false, sizes.batch),
        dna_(world().random({sizes.batch, sizes.bins, sizes.dna_dim})),
        trunks_(world().model.compute_trunks(world().tape, world().rna, world().protein,
                                             world().lasting)) {}

  void run() override {
    backend().run_recorded("predict", {dna_}, [this] {
      PaperWorld& w = world();
      w.model.forward({.tape = w.tape, .dna = w.tape.constant(dna_), .trunks = &trunks_});
      w.tape.clear();
    });
  }

 private:
  Tensor dna_;
  Trunks trunks_;
};

class Attribution final : public PaperWorkload {
 public:
  Attribution(std::unique_ptr<Backend> on, const PaperSizes& sizes, std::vector<std::int32_t> genes)
      : PaperWorkload(std::move(on), sizes, false, static_cast<std::int64_t>(genes.size())),
        genes_(std::move(genes)),
        dna_(world().random({1, sizes.bins, sizes.dna_dim})),
        explainer_(world().model, world().tape, world().rna, world().protein, world().lasting) {}

  void run() override {
    attribute(explainer_, explainer_.project(dna_), genes_, false,
              [](std::size_t /*index*/, const PairWindows& /*w*/) {});
  }

 private:
  std::vector<std::int32_t> genes_;
  Tensor dna_;
  Explainer explainer_;
};

class BatchedAttribution final : public PaperWorkload {
 public:
  BatchedAttribution(std::unique_ptr<Backend> on, const PaperSizes& sizes,
                     const std::vector<std::int32_t>& genes)
      : PaperWorkload(std::move(on), sizes, false, sizes.batch * std::ssize(genes)),
        genes_(static_cast<std::size_t>(sizes.batch), genes),
        dna_(world().lasting.tensor({sizes.batch, sizes.bins, sizes.dna_dim},
                                    backend().activations())),
        explainer_(world().model, world().tape, world().rna, world().protein, world().lasting),
        batch_(explainer_, sizes.batch, sizes.bins, false, world().lasting) {
    backend().cast(dna_, world().random(dna_.shape));
  }

  void run() override {
    batch_.run(dna_, genes_,
               [](std::size_t /*place*/, std::size_t /*index*/, const PairWindows& /*w*/) {});
  }

 private:
  std::vector<std::vector<std::int32_t>> genes_;
  Tensor dna_;
  Explainer explainer_;
  AttributionBatch batch_;
};

class PlainAttribution final : public PaperWorkload {
 public:
  PlainAttribution(std::unique_ptr<Backend> on, const PaperSizes& sizes)
      : PaperWorkload(std::move(on), sizes, true, 1),
        input_(world().random({1, sizes.bins, sizes.dna_dim})),
        norms_(static_cast<std::size_t>(sizes.bins)) {}

  void run() override {
    PaperWorld& w = world();
    w.tape.eval();
    w.model.zero_gradients();
    const Var dna = w.tape.input(input_);
    const Var out = w.model.forward({.tape = w.tape,
                                     .dna = dna,
                                     .rna = w.tape.constant(w.rna),
                                     .protein = w.tape.constant(w.protein)});
    const Scratch cotangent(w.scratch, out->value.shape);
    backend().fill(*cotangent, 0.0F);
    backend().fill((*cotangent).reshaped({w.sizes.genes}).slice(0, 1), 1.0F);
    w.tape.backward(out, *cotangent);
    const Tensor rows = dna->grad.reshaped({w.sizes.bins, w.sizes.dna_dim});
    const Scratch lengths(w.scratch, {w.sizes.bins});
    backend().row_dot_sqrt(rows, rows, *lengths);
    backend().download(norms_.data(), *lengths);
    w.tape.clear();
  }

 private:
  Tensor input_;
  std::vector<float> norms_;
};

}  // namespace

std::unique_ptr<PaperWorkload> make_training(std::unique_ptr<Backend> backend,
                                             const PaperSizes& sizes) {
  return std::make_unique<Training>(std::move(backend), sizes);
}

std::unique_ptr<PaperWorkload> make_prediction(std::unique_ptr<Backend> backend,
                                               const PaperSizes& sizes) {
  return std::make_unique<Prediction>(std::move(backend), sizes);
}

std::unique_ptr<PaperWorkload> make_attribution(std::unique_ptr<Backend> backend,
                                                const PaperSizes& sizes,
                                                std::vector<std::int32_t> genes) {
  if (backend->asynchronous() && std::ssize(genes) <= sizes.hidden) {
    return std::make_unique<BatchedAttribution>(std::move(backend), sizes, genes);
  }
  return std::make_unique<Attribution>(std::move(backend), sizes, std::move(genes));
}

std::unique_ptr<PaperWorkload> make_plain_attribution(std::unique_ptr<Backend> backend,
                                                      const PaperSizes& sizes) {
  return std::make_unique<PlainAttribution>(std::move(backend), sizes);
}

std::unique_ptr<PaperWorkload> make_workload(const std::string& name,
                                             std::unique_ptr<Backend> backend,
                                             const PaperSizes& sizes) {
  if (name == "train") return make_training(std::move(backend), sizes);
  if (name == "predict") return make_prediction(std::move(backend), sizes);
  CDT_CHECK(name == "attribute", "no workload " + name);
  return make_attribution(std::move(backend), sizes, {0});
}

}  // namespace cdt
