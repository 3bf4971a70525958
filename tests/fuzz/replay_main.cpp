// Runs a fuzz target over its kept corpus where libFuzzer is not linked: arguments are folders or
// files.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::set<std::filesystem::path> files_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    if (entry.is_regular_file()) files.insert(entry.path());
  return files;
}

bool replay(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    std::fprintf(stderr, "cannot read %s\n", file.c_str());
    return false;
  }
  // Flushed before the run, so that the input that crashes is the last one named.
  std::fprintf(stderr, "%s\n", file.c_str());
  const std::vector<char> octets{std::istreambuf_iterator<char>(stream), {}};
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t runs = 0;
  for (int i = 1; i < argc; ++i)
    for (const std::filesystem::path& file : files_of(argv[i])) {
      if (!replay(file)) return 1;
      ++runs;
    }
  std::printf("%zu inputs\n", runs);
  return runs == 0 ? 1 : 0;  // an empty corpus tests nothing
}
