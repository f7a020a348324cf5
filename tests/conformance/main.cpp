// Runs operator tests of the ONNX project against scry.
//
//   conformance DIR     every DIR/…/node.json, with the arrays that it names beside it, as .npy
//
// node.json: {"opset": {DOMAIN: VERSION}, "nodes": [{"op_type", "domain", "inputs": [NAMES], "outputs": [NAMES], "attributes": {…}}, …],
// "inputs", "initializers", "outputs": [{"name", "file", "dtype"}, …]}. An empty name stands for an optional input or output that is left out.
//
// Ends with a line "N passed, N failed, N unsupported", after which the failed and the unsupported cases come, with the reasons. Element types
// that scry doesn't have (int32, float16, …) are converted as load_npy does, expected values too, and compared after that. The status is 1 if a
// case failed, and 2 if there is none to run.

#include "conformance/case.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace {

using namespace scry;
using namespace scry::conformance;

struct Report {
  int passed = 0;
  std::vector<std::string> failed, unsupported;
};

void run(const std::string& folder, const std::string& name, Report& report) {
  try {
    const std::string what = run_case(load_case(folder));
    if (what.empty())
      ++report.passed;
    else
      report.failed.push_back(name + ": " + what);
  } catch (const Unsupported& reason) {
    report.unsupported.push_back(name + ": " + reason.what());
  } catch (const std::exception& error) {
    report.failed.push_back(name + ": " + error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  if (argc != 2 || !fs::is_directory(argv[1])) {
    std::cerr << "usage: conformance DIR, a folder with cases somewhere below\n";
    return 2;
  }
  std::vector<fs::path> folders;
  for (const auto& entry : fs::recursive_directory_iterator(argv[1]))
    if (entry.path().filename() == "node.json") folders.push_back(entry.path().parent_path());
  std::sort(folders.begin(), folders.end());
  if (folders.empty()) {
    std::cerr << argv[1] << ": no node.json in there\n";
    return 2;
  }
  Report report;
  for (const fs::path& folder : folders) run(folder, fs::relative(folder, argv[1]), report);
  std::cout << report.passed << " passed, " << report.failed.size() << " failed, " << report.unsupported.size() << " unsupported\n";
  for (const std::string& line : report.failed) std::cout << "failed: " << line << '\n';
  for (const std::string& line : report.unsupported) std::cout << "unsupported: " << line << '\n';
  return report.failed.empty() ? 0 : 1;
}
