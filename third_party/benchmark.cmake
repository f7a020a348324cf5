find_package(benchmark QUIET)
if(NOT TARGET benchmark::benchmark)
  scry_missing("Google Benchmark" libbenchmark-dev)
endif()
