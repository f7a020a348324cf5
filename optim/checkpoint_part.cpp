#include <scry/core/creation.hpp>
#include <scry/core/state.hpp>
#include <scry/optim/checkpoint.hpp>
#include <scry/optim/checkpoint_header.hpp>
#include <algorithm>
#include <bit>

namespace scry::optim {
namespace {

constexpr const char* metadata_name = "metadata";  // of an optimizer's checkpoint inside another one's: bytes

std::vector<NamedTensor> save_generator(void* at) {
  const auto& generator = *static_cast<const Generator*>(at);
  const std::vector<int64_t> bits{std::bit_cast<int64_t>(generator.seed()), std::bit_cast<int64_t>(generator.counter())};
  return {{"seed_and_counter", tensor(bits)}};
}

void load_generator(void* at, const std::vector<NamedTensor>& state) {
  const Tensor& bits = state_tensor("generator", state, "seed_and_counter", {2}, i64);
  *static_cast<Generator*>(at) = Generator(std::bit_cast<uint64_t>(bits.data<int64_t>()[0]), std::bit_cast<uint64_t>(bits.data<int64_t>()[1]));
}

std::vector<NamedTensor> save_optimizer(void* at) {
  Checkpoint checkpoint = capture(*static_cast<const Optimizer*>(at));
  const std::string& header = checkpoint.metadata.at(CheckpointHeader::key);
  checkpoint.tensors.push_back({metadata_name, tensor(std::vector<uint8_t>(header.begin(), header.end()))});
  return std::move(checkpoint.tensors);
}

void load_optimizer(void* at, const std::vector<NamedTensor>& state) {
  Checkpoint checkpoint{state, {}};
  const auto header = std::find_if(checkpoint.tensors.begin(), checkpoint.tensors.end(), [](const auto& each) { return each.name == metadata_name; });
  require(header != checkpoint.tensors.end() && header->tensor.dtype() == u8, "it is no optimizer's");
  const auto bytes = header->tensor.to_vector<uint8_t>();
  checkpoint.metadata[CheckpointHeader::key] = std::string(bytes.begin(), bytes.end());
  restore(*static_cast<Optimizer*>(at), checkpoint);
}

}  // namespace

CheckpointPart::CheckpointPart(std::string name, Generator& generator)
    : name_(std::move(name)), object_(&generator), save_(save_generator), load_(load_generator) {}

CheckpointPart::CheckpointPart(std::string name, Optimizer& optimizer)
    : name_(std::move(name)), object_(&optimizer), save_(save_optimizer), load_(load_optimizer) {}

}  // namespace scry::optim
