// Learns from any text file, character by character, and goes on writing in its manner: generate TEXT [--model gpt|lstm] [--prompt …].

#include <scry/scry.hpp>
#include <cstdio>
#include <functional>
#include <string>
#include <CLI/CLI.hpp>

namespace {

using namespace scry;

struct Arguments {
  std::string file, model = "gpt", prompt;
  int64_t steps = 1000, batch = 16, context = 64, length = 400;
  double lr = 2e-3, temperature = 0.8;
  uint64_t seed = 0;
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

void train(const Network& network, optim::Registry registry, const Tensor& text, const Arguments& arguments) {
  optim::Lookahead optimizer{optim::AdamW{registry, {.lr = arguments.lr}}, {.k = 5, .alpha = 0.5}};
  const Tensor places = unsqueeze(arange(arguments.context + 1), 0);
  double average = 0;
  for (int64_t step = 1; step <= arguments.steps; ++step) {
    const Tensor starts = randint(0, text.numel() - arguments.context, {arguments.batch, 1});
    const Tensor windows = reshape(index_select(text, reshape(starts + places, {-1}), 0), {arguments.batch, -1});
    const Tensor logits = network(narrow(windows, 1, 0, arguments.context));
    const Tensor loss = cross_entropy(flatten(logits, 0, 1), flatten(contiguous(narrow(windows, 1, 1, arguments.context))));
    registry.zero_grad();
    loss.backward();
    optimizer.step();
    average += (loss.item() - average) * (step == 1 ? 1 : 0.05);
    if (step % 100 == 0 || step == arguments.steps)
      std::fprintf(stderr, "step %lld of %lld: %.3f nats a character\n", static_cast<long long>(step), static_cast<long long>(arguments.steps),
                   average);
  }
  optimizer.finish();
}

// A draw from softmax(logits / temperature): the largest after adding Gumbel noise.
int64_t draw(const Tensor& logits, double temperature) { return argmax(logits / temperature - log(-log(rand(logits.shape())))).item<int64_t>(); }

void write(const Network& network, const Alphabet& alphabet, const Arguments& arguments) {
  const NoGrad only_values;
  std::string text = arguments.prompt.empty() ? alphabet.letters.substr(0, 1) : arguments.prompt;
  std::fputs(arguments.prompt.c_str(), stdout);
  for (int64_t i = 0; i < arguments.length; ++i) {
    const auto context = static_cast<size_t>(arguments.context);
    const std::string_view seen = std::string_view(text).substr(text.size() > context ? text.size() - context : 0);
    const Tensor logits = network(unsqueeze(alphabet.numbers(seen), 0));
    text += alphabet.letters[static_cast<size_t>(draw(select(select(logits, 0, 0), 0, -1), arguments.temperature))];
    std::fputc(text.back(), stdout);
    std::fflush(stdout);
  }
  std::fputc('\n', stdout);
}

template <class Model>
void run(const Model& model, const Alphabet& alphabet, const Tensor& text, const Arguments& arguments) {
  const Network network = [&](const Tensor& x) { return model(x); };
  train(network, optim::Registry{model}, text, arguments);
  model.eval();
  write(network, alphabet, arguments);
}

void run(const Arguments& arguments) {
  manual_seed(arguments.seed);
  const io::Bytes bytes = io::read_file(arguments.file);
  const std::string_view given(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  require(static_cast<int64_t>(given.size()) > arguments.context, arguments.file, ": has ", given.size(), " characters; --context ",
          arguments.context, " needs more");
  const Alphabet alphabet(given);
  alphabet.numbers(arguments.prompt);
  const Tensor text = alphabet.numbers(given);
  const auto letters = static_cast<int64_t>(alphabet.letters.size());
  if (arguments.model == "lstm")
    run(nn::CharLstm({.vocabulary = letters}), alphabet, text, arguments);
  else
    run(nn::Gpt({.vocabulary = letters, .context = arguments.context, .activation = nn::FeedForward::gelu, .norm_first = true}), alphabet, text,
        arguments);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Learns from a text file, character by character, and goes on writing in its manner."};
  Arguments arguments;
  app.add_option("text", arguments.file, "The file to learn from")->required();
  app.add_option("--model", arguments.model, "gpt or lstm")->check(CLI::IsMember({"gpt", "lstm"}))->capture_default_str();
  app.add_option("--steps", arguments.steps, "Training steps")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--batch", arguments.batch, "Pieces of text a step")->check(CLI::Range(1, 1 << 16))->capture_default_str();
  app.add_option("--context", arguments.context, "How many characters the model sees at once")->check(CLI::Range(1, 1 << 16))->capture_default_str();
  app.add_option("--lr", arguments.lr, "Learning rate of AdamW")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--prompt", arguments.prompt, "What the text begins with");
  app.add_option("--length", arguments.length, "How many characters to write")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--temperature", arguments.temperature, "Below 1 for likelier text, above for wilder")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", arguments.seed, "Of weights, batches and draws")->capture_default_str();
  try {
    app.parse(argc, argv);
    run(arguments);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "generate: %s; generate --help tells more\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "generate: %s\n", error.what());
    return 1;
  }
  return 0;
}
