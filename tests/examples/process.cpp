#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>

namespace scry::test {
namespace {

constexpr auto time_limit = std::chrono::seconds(60);

// Appends what there is to read; closes at the end. A terminal whose program has ended reports an error.
void drain(int& file, std::string& to) {
  char buffer[4096];
  const ssize_t got = ::read(file, buffer, sizeof buffer);
  if (got > 0) {
    to.append(buffer, static_cast<size_t>(got));
  } else if (got == 0 || errno != EINTR) {
    ::close(file);
    file = -1;
  }
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const SpawnOptions& options) : start_(Clock::now()) {
  int out[2] = {-1, -1}, err[2] = {-1, -1};
  winsize size{};
  size.ws_col = static_cast<unsigned short>(options.columns);
  size.ws_row = 24;
  const int made = options.columns ? ::openpty(&out[0], &out[1], nullptr, nullptr, &size) : ::pipe(out);
  if (made != 0 || ::pipe(err) != 0) throw std::runtime_error("no pipe");
  id_ = ::fork();
  if (id_ == 0) become(command, options, out[1], err[1]);
  ::close(out[1]);
  ::close(err[1]);
  out_ = out[0];
  err_ = err[0];
  for (const int file : {out_, err_}) ::fcntl(file, F_SETFD, FD_CLOEXEC);
}

// In the child.
void Process::become(const std::vector<std::string>& command, const SpawnOptions& options, int out, int err) const {
  if (!options.out.empty()) out = ::open(options.out.c_str(), O_WRONLY);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  for (int file = STDERR_FILENO + 1; file < 64; ++file) ::close(file);
  if (options.largest_file) {
    const rlimit limit{static_cast<rlim_t>(options.largest_file), static_cast<rlim_t>(options.largest_file)};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (options.folder.empty() || ::chdir(options.folder.c_str()) == 0) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
  }
  ::_exit(127);
}

Process::~Process() {
  if (id_ > 0) {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  for (const int file : {out_, err_})
    if (file >= 0) ::close(file);
}

void Process::signal(int number) {
  start_ = Clock::now();
  ::kill(id_, number);
}

void Process::kill_if_late() {
  if (Clock::now() - start_ < time_limit) return;
  ADD_FAILURE() << "the program didn't end in time; so far:\n" << result_.out << result_.err;
  ::kill(id_, SIGKILL);
}

bool Process::read_more() {
  pollfd files[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
  if (out_ < 0 && err_ < 0) return false;
  ::poll(files, 2, 100);
  if (out_ >= 0 && files[0].revents) drain(out_, result_.out);
  if (err_ >= 0 && files[1].revents) drain(err_, result_.err);
  kill_if_late();
  return true;
}

bool Process::wait_for(std::string_view text) {
  while (result_.out.find(text) == std::string::npos)
    if (!read_more()) return false;
  return true;
}

Result Process::finish() {
  while (read_more()) {
  }
  int status = 0;
  ::waitpid(id_, &status, 0);
  id_ = -1;
  result_.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  result_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  return result_;
}

}  // namespace scry::test
