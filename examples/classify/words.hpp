#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace classify {

/// " (did you mean 'lenet'?)" where one of the known words is near, else nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

/// "a, b, c".
std::string joined(const std::vector<std::string>& words);

/// The word as a POSIX shell reads it back: in quotes, where it needs them.
std::string shell_quoted(const std::string& word);

/// Whether the whole text is a finite number; then `value` is it.
bool is_number(const std::string& text, double& value);
bool is_whole_number(const std::string& text, long long& value);

/// Whether the text can stand in JSON.
bool is_utf8(const std::string& text);

}  // namespace classify
