#pragma once

#include <string>
#include <vector>

namespace classify {

/// "a, b, c".
std::string joined(const std::vector<std::string>& words);

/// The word as a POSIX shell reads it back: in quotes, where it needs them.
std::string shell_quoted(const std::string& word);

/// Whether the text can stand in JSON.
bool is_utf8(const std::string& text);

}  // namespace classify
