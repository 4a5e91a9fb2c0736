// Single ops, the optimiser and the schedule against PyTorch (record_ops.py).
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "engine/ops.h"
#include "engine/optim/adamw.h"
#include "engine/optim/schedule.h"
#include "tests/parity/compare.h"
#include "tests/parity/fixture.h"
#include "tests/support/test_backend.h"

namespace cdt::test {
namespace {

using Floats = std::vector<float>;

/// The tensors of one recorded case as variables. Weights are parameters (their gradient
/// accumulates), data are token-level inputs.
class Case {
 public:
  Case(const Fixture& fixture, const std::string& prefix) : fixture_(fixture), prefix_(prefix) {}

  Var input(const std::string& name) {
    const Var v = engine_.tape.input(as_activation(engine_.upload(fixture_, prefix_ + "." + name)));
    leaves_[name] = v;
    return v;
  }
  Var weight(const std::string& name) {
    Variable v;
    v.value = engine_.upload(fixture_, prefix_ + "." + name);
    v.grad = engine_.lasting.tensor(v.value.shape);
    engine_.backend->fill(v.grad, 0.0F);
    v.needs_grad = v.lasting = true;
    if (engine_.backend->activations() != v.value.dtype) v.rounded = as_activation(v.value);
    weights_.push_back(v);
    leaves_[name] = &weights_.back();
    return &weights_.back();
  }
  Var rows(Var parameter, std::int64_t begin, std::int64_t end) {
    return engine_.tape.rows_of(parameter, begin, end);
  }
  Var projected(Var x) { return linear(tape(), x, weight("out_weight"), weight("out_bias")); }
  Tape& tape() { return engine_.tape; }
  std::int64_t dim(const std::string& name, int i) const {
    return fixture_.shape(prefix_ + "." + name)[i];
  }

  /// Compares y, then every gradient from the recorded dy.
  void expect_parity(Var y) {
    Comparison forward(forward_tolerance()), backward(gradient_tolerance());
    forward.check(prefix_ + ".y", engine_.download(y->value), fixture_.values(prefix_ + ".y"));
    EXPECT_TRUE(forward.result());
    const Tensor dy = engine_.upload(y->value.shape, fixture_.values(prefix_ + ".dy"));
    engine_.tape.backward(y, y->value.dtype == dy.dtype ? dy : as_activation(dy));
    const double scale = norm(fixture_.values(prefix_ + ".dy"));
    for (const auto& [name, leaf] : leaves_) check_gradient(name, leaf, scale, backward);
    EXPECT_TRUE(backward.result());
  }

 private:
  Tensor as_activation(const Tensor& t) {
    return test::as_activation(*engine_.backend, engine_.lasting, t);
  }
  // A gradient that vanishes in exact arithmetic (LayerNorm of one or two columns, softmax over one
  // key, a key bias) is noise relative to dy.
  void check_gradient(const std::string& name, Var leaf, double dy_norm, Comparison& c) {
    const Floats want = fixture_.values(prefix_ + ".d" + name);
    const bool vanishes = norm(want) < 1e-5 * dy_norm;
    c.check(prefix_ + ".d" + name, engine_.download(leaf->grad), want, vanishes ? dy_norm : 0.0);
  }

  const Fixture& fixture_;
  std::string prefix_;
  Engine engine_;
  std::map<std::string, Var> leaves_;
  std::deque<Variable> weights_;
};

class OpParity : public testing::Test {
 protected:
  /// Runs `build` on OP.0, OP.1, ... as long as the fixture has cases.
  void for_cases(const std::string& op, const std::function<Var(Case&)>& build) {
    int cases = 0;
    for (; !fixture_.names(op + "." + std::to_string(cases) + ".").empty(); ++cases) {
      Case c(fixture_, op + "." + std::to_string(cases));
      c.tape().train(1, 0);
      c.expect_parity(build(c));
    }
    EXPECT_GE(cases, 2) << op;
  }

  Fixture fixture_{"ops"};
};

TEST_F(OpParity, Linear) {
  for_cases("linear", [](Case& c) {
    return linear(c.tape(), c.input("x"), c.weight("weight"), c.weight("bias"));
  });
}

TEST_F(OpParity, LayerNorm) {
  for_cases("layer_norm", [](Case& c) {
    return layer_norm(c.tape(), c.input("x"), c.weight("gamma"), c.weight("beta"));
  });
}

TEST_F(OpParity, Gelu) {
  for_cases("gelu", [](Case& c) { return gelu_dropout(c.tape(), c.input("x"), 0.0F); });
}

TEST_F(OpParity, FeedForward) {
  for_cases("feed_forward", [](Case& c) {
    return feed_forward(c.tape(), c.input("x"),
                        {c.weight("w1"), c.weight("b1"), c.weight("w2"), c.weight("b2")}, 0.0F);
  });
}

TEST_F(OpParity, AddNorm) {
  for_cases("add_norm", [](Case& c) {
    return add_norm(c.tape(), c.input("x"), c.input("a"), c.weight("gamma"), c.weight("beta"),
                    0.0F);
  });
}

// The number of heads of each recorded case, in order (record_ops.py).
TEST_F(OpParity, SelfAttention) {
  std::vector<std::int64_t> heads = {3, 1, 2};
  auto next = heads.begin();
  for_cases("self_attention", [&](Case& c) {
    const Var qkv =
        linear(c.tape(), c.input("query"), c.weight("in_proj_weight"), c.weight("in_proj_bias"));
    return c.projected(self_attention(c.tape(), qkv, *next++, 0.0F, c.dim("query", 0)));
  });
}

TEST_F(OpParity, CrossAttention) {
  std::vector<std::int64_t> heads = {4, 3, 1};
  auto next = heads.begin();
  for_cases("cross_attention", [&](Case& c) {
    const std::int64_t d = c.dim("query", 2);
    const Var w = c.weight("in_proj_weight");
    const Var b = c.weight("in_proj_bias");
    const Var q = linear(c.tape(), c.input("query"), c.rows(w, 0, d), c.rows(b, 0, d));
    const Var kv = linear(c.tape(), c.input("key_value"), c.rows(w, d, 3 * d), c.rows(b, d, 3 * d));
    return c.projected(attention(c.tape(), q, kv, *next++, 0.0F, c.dim("key_value", 0)));
  });
}

TEST_F(OpParity, AttentionPool) {
  std::vector<std::int64_t> heads = {3, 4, 1};
  auto next = heads.begin();
  for_cases("attention_pool", [&](Case& c) {
    const PoolParameters p{c.weight("query"), c.weight("in_proj_weight"), c.weight("in_proj_bias")};
    return c.projected(attention_pool(c.tape(), c.input("x"), p, *next++, 0.0F, c.dim("x", 0)));
  });
}

TEST_F(OpParity, AttentionPoolOfThePaper) {
  for_cases("attention_pool_paper", [](Case& c) {
    const PoolParameters p{c.weight("query"), nullptr, nullptr};
    return attention_pool(c.tape(), c.input("x"), p, 1, 0.0F, c.dim("x", 0));
  });
}

TEST_F(OpParity, Huber) {
  for (int i = 0; i < 3; ++i) {
    const std::string prefix = "huber." + std::to_string(i);
    Engine engine;
    const Var prediction = engine.tape.input(engine.upload(fixture_, prefix + ".prediction"));
    const Tensor target = engine.upload(fixture_, prefix + ".target");
    const Var loss = huber(engine.tape, prediction, target, fixture_.values(prefix + ".delta")[0]);
    Comparison c(forward_tolerance());
    c.check(prefix + ".loss", engine.download(loss->value), fixture_.values(prefix + ".loss"));
    engine.tape.backward(loss);
    c.check(prefix + ".dprediction", engine.download(prediction->grad),
            fixture_.values(prefix + ".dprediction"));
    EXPECT_TRUE(c.result());
  }
}

/// A trainable parameter with the gradients of twelve steps.
struct Trained {
  Variable variable;
  Floats gradients;
};

Trained trained(Engine& engine, const Fixture& fixture, const std::string& name) {
  Trained t;
  t.variable.value = engine.upload(fixture, name);
  t.variable.grad = engine.lasting.tensor(t.variable.value.shape);
  t.variable.needs_grad = t.variable.lasting = true;
  t.gradients = fixture.values(name + "_grads");
  return t;
}

TEST_F(OpParity, AdamWWithClipping) {
  for (int i = 0; i < 3; ++i) {
    const std::string prefix = "adamw." + std::to_string(i);
    Engine engine;
    std::map<std::string, Trained> parameters;
    for (const char* name : {"w", "v"}) {
      parameters[name] = trained(engine, fixture_, prefix + "." + name);
    }
    const Floats options = fixture_.values(prefix + ".options");
    AdamWOptions adamw;
    adamw.weight_decay = options[1];
    AdamW optimiser({&parameters["w"].variable, &parameters["v"].variable}, *engine.backend,
                    engine.lasting, adamw);
    Floats norms;
    for (std::int64_t step = 0; step < 12; ++step) {
      for (auto& [name, p] : parameters) {
        engine.backend->upload(p.variable.grad,
                               p.gradients.data() + step * p.variable.value.count());
      }
      optimiser.step(options[0], 1.0);
      norms.push_back(engine.download(optimiser.norm_and_factor())[0]);
    }
    Comparison c(
        1e-6);  // about ten float32 roundings per element and step, each far below the weight
    c.check(prefix + ".norms", norms, fixture_.values(prefix + ".norms"));
    for (auto& [name, p] : parameters) {
      std::string of = prefix;
      of.append(".").append(name);
      c.check(of, engine.download(p.variable.value), fixture_.values(of + "_final"));
    }
    EXPECT_TRUE(c.result());
  }
}

TEST_F(OpParity, ReduceLearningRateOnPlateau) {
  for (int i = 0; i < 5; ++i) {
    const std::string prefix = "plateau." + std::to_string(i);
    const Floats metric = fixture_.values(prefix + ".metric");
    const Floats want = fixture_.values(prefix + ".lr");
    ReduceLrOnPlateau schedule;
    for (std::size_t epoch = 0; epoch < metric.size(); ++epoch) {
      schedule.step(metric[epoch]);
      ASSERT_FLOAT_EQ(static_cast<float>(schedule.lr), want[epoch]) << prefix << " epoch " << epoch;
    }
  }
}

}  // namespace
}  // namespace cdt::test
