// Learns from any text file, character by character, and goes on writing in its manner: generate TEXT [--model gpt|lstm] [--prompt …].

#include <scry/scry.hpp>
#include <cstdio>
#include <functional>
#include <string>
#include <arguments.hpp>

namespace {

using namespace scry;

struct Options {
  std::string file, model = "gpt", prompt;
  int64_t steps = 1000, batch = 16, context = 64, length = 400, seed = 0;
  double lr = 2e-3, temperature = 0.8;
};

// The bytes that occur in a text, numbered.
struct Alphabet {
  explicit Alphabet(std::string_view text) {
    for (const char c : text)
      if (letters.find(c) == letters.npos) letters += c;
    std::sort(letters.begin(), letters.end());
  }
  Tensor numbers(std::string_view text) const {
    std::vector<int64_t> out;
    for (const char c : text) {
      const size_t at = letters.find(c);
      require(at != letters.npos, "--prompt: '", std::string(1, c), "' doesn't occur in the text, so that nothing is known of it");
      out.push_back(static_cast<int64_t>(at));
    }
    return Tensor::of(out, {static_cast<int64_t>(out.size())});
  }
  std::string letters;
};

using Network = std::function<Tensor(const Tensor&)>;  // i64 [N, T] -> logits [N, T, letters]

void train(const Network& network, optim::Registry registry, const Tensor& text, const Options& options) {
  optim::Lookahead optimizer{optim::AdamW{registry, {.lr = options.lr}}, {.k = 5, .alpha = 0.5}};
  const Tensor places = unsqueeze(arange(options.context + 1), 0);
  double average = 0;
  for (int64_t step = 1; step <= options.steps; ++step) {
    const Tensor starts = randint(0, text.numel() - options.context, {options.batch, 1});
    const Tensor windows = reshape(index_select(text, reshape(starts + places, {-1}), 0), {options.batch, -1});
    const Tensor logits = network(narrow(windows, 1, 0, options.context));
    const Tensor loss = cross_entropy(flatten(logits, 0, 1), flatten(contiguous(narrow(windows, 1, 1, options.context))));
    registry.zero_grad();
    loss.backward();
    optimizer.step();
    average += (loss.item() - average) * (step == 1 ? 1 : 0.05);
    if (step % 100 == 0 || step == options.steps)
      std::fprintf(stderr, "step %lld of %lld: %.3f nats a character\n", static_cast<long long>(step), static_cast<long long>(options.steps),
                   average);
  }
  optimizer.finish();
}

// A draw from softmax(logits / temperature): the largest after adding Gumbel noise.
int64_t draw(const Tensor& logits, double temperature) { return argmax(logits / temperature - log(-log(rand(logits.shape())))).item<int64_t>(); }

void write(const Network& network, const Alphabet& alphabet, const Options& options) {
  const NoGrad only_values;
  std::string text = options.prompt.empty() ? alphabet.letters.substr(0, 1) : options.prompt;
  std::fputs(options.prompt.c_str(), stdout);
  for (int64_t i = 0; i < options.length; ++i) {
    const auto context = static_cast<size_t>(options.context);
    const std::string_view seen = std::string_view(text).substr(text.size() > context ? text.size() - context : 0);
    const Tensor logits = network(unsqueeze(alphabet.numbers(seen), 0));
    text += alphabet.letters[static_cast<size_t>(draw(select(select(logits, 0, 0), 0, -1), options.temperature))];
    std::fputc(text.back(), stdout);
    std::fflush(stdout);
  }
  std::fputc('\n', stdout);
}

template <class Model>
void run(const Model& model, const Alphabet& alphabet, const Tensor& text, const Options& options) {
  const Network network = [&](const Tensor& x) { return model(x); };
  train(network, optim::Registry{model}, text, options);
  model.eval();
  write(network, alphabet, options);
}

void run(const Options& options) {
  manual_seed(static_cast<uint64_t>(options.seed));
  const io::Bytes bytes = io::read_file(options.file);
  const std::string_view given(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  require(static_cast<int64_t>(given.size()) > options.context, options.file, ": has ", given.size(), " characters; --context ", options.context,
          " needs more");
  const Alphabet alphabet(given);
  alphabet.numbers(options.prompt);
  const Tensor text = alphabet.numbers(given);
  const auto letters = static_cast<int64_t>(alphabet.letters.size());
  if (options.model == "lstm")
    run(nn::CharLstm({.vocabulary = letters}), alphabet, text, options);
  else
    run(nn::Gpt({.vocabulary = letters, .context = options.context, .activation = nn::FeedForward::gelu, .norm_first = true}), alphabet, text,
        options);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  arguments::Arguments line("generate", "Learns from a text file, character by character, and goes on writing in its manner.");
  line.required("text", options.file, "FILE", "What to learn from");
  line.option("--model", options.model, "NAME", "gpt or lstm");
  line.option("--steps", options.steps, 0, INT64_MAX, "Training steps");
  line.option("--batch", options.batch, 1, 1 << 16, "Pieces of text a step");
  line.option("--context", options.context, 1, 1 << 16, "How many characters the model sees at once");
  line.option("--lr", options.lr, 0, "Learning rate of AdamW");
  line.option("--prompt", options.prompt, "TEXT", "What the text begins with");
  line.option("--length", options.length, 0, INT64_MAX, "How many characters to write");
  line.option("--temperature", options.temperature, 1e-6, "Below 1 for likelier text, above for wilder");
  line.option("--seed", options.seed, 0, INT64_MAX, "Of weights, batches and draws");
  return arguments::run(line, argc, argv, [&] {
    if (options.model != "gpt" && options.model != "lstm")
      throw arguments::UsageError("--model: there is no '" + options.model + "'; there are gpt and lstm");
    run(options);
    return 0;
  });
}
