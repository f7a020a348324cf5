#pragma once

#include <cstdlib>
#include <string>
#include <vector>
#include <gtest/gtest.h>

// Tests that hold scry against Python's packages. They run the interpreter that the environment variable SCRY_PYTHON names, or python3. Where
// packages are missing such a test is skipped and says so; with SCRY_PYTHON set it fails instead, so that it can't be lost unnoticed.

namespace scry::test {

inline std::string python() {
  const char* chosen = std::getenv("SCRY_PYTHON");
  return chosen && *chosen ? chosen : "python3";
}

/// Runs the interpreter with these arguments; whether it succeeded.
inline bool run_python(const std::vector<std::string>& arguments) {
  std::string command = python();
  for (const std::string& argument : arguments) command += " '" + argument + "'";  // none of them holds a quote
  return std::system(command.c_str()) == 0;
}

/// Why a test that imports `packages`, "torch safetensors", has to be skipped; empty where it can run.
inline std::string missing_in_python(const std::string& packages) {
  if (run_python({"-c", "import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1].split())))", packages}))
    return "";
  const std::string why = python() + " lacks one of " + packages + " (install them with pip, and name the interpreter in SCRY_PYTHON)";
  if (std::getenv("SCRY_PYTHON")) ADD_FAILURE() << why;
  return why;
}

}  // namespace scry::test
