find_package(nlohmann_json 3 QUIET)
if(NOT TARGET nlohmann_json::nlohmann_json)
  scry_missing("JSON for Modern C++" nlohmann-json3-dev)
endif()
