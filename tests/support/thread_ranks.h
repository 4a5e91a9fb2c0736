// Ranks that are threads of the test, for code that takes a Communicator: the same results as with
// processes, without a launcher.
#pragma once

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/ranks/communicator.h"
#include "engine/ranks/ordered_sum.h"

namespace cdt {

class ThreadRanks {
 public:
  explicit ThreadRanks(int size)
      : meet_(size), tensors_(static_cast<std::size_t>(size)), texts_(tensors_.size()) {}

  /// Runs `work` as each rank, each in a thread of its own. It must not throw: the others would
  /// wait for it.
  void run(const std::function<void(Communicator& ranks)>& work) {
    std::vector<std::thread> threads;
    for (int rank = 0; rank < size(); ++rank) {
      threads.emplace_back([this, rank, &work] {
        Rank own(*this, rank);
        work(own);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

 private:
  int size() const { return static_cast<int>(tensors_.size()); }

  class Rank : public Communicator {
   public:
    Rank(ThreadRanks& all, int rank) : all_(all), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return all_.size(); }
    int host_rank() const override { return rank_; }
    void when_lost(std::function<void()> /*act*/) override {}
    void leave() override { all_.meet_.arrive_and_wait(); }

    void start_sum(const Tensor& data) override { started_.push_back(data); }

    void wait_sums() override {
      for (const Tensor& data : started_) sum(data);
      started_.clear();
    }

    std::vector<std::string> gather(const std::string& mine) override {
      all_.texts_[static_cast<std::size_t>(rank_)] = mine;
      all_.meet_.arrive_and_wait();
      std::vector<std::string> out = all_.texts_;
      all_.meet_.arrive_and_wait();
      return out;
    }

   private:
    void sum(const Tensor& data) {
      all_.tensors_[static_cast<std::size_t>(rank_)] = data;
      all_.meet_.arrive_and_wait();
      std::vector<float> parts;
      for (const Tensor& of_rank : all_.tensors_) {
        parts.insert(parts.end(), of_rank.data, of_rank.data + of_rank.count());
      }
      std::vector<float> sums(static_cast<std::size_t>(data.count()));
      add_in_order(parts.data(), size(), data.count(), sums.data());
      all_.meet_.arrive_and_wait();
      std::copy(sums.begin(), sums.end(), data.data);
    }

    ThreadRanks& all_;
    int rank_;
    std::vector<Tensor> started_;
  };

  std::barrier<> meet_;
  std::vector<Tensor> tensors_;
  std::vector<std::string> texts_;
};

}  // namespace cdt
