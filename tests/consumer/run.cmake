# Configures, builds and runs one of the projects beside this file, as somebody else's: way = find_package or add_subdirectory.
set(work "${build}/consumer/${way}")
set(options "-DCMAKE_CXX_COMPILER=${compiler}" "-DCMAKE_MAKE_PROGRAM=${make_program}")

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

if(way STREQUAL "find_package")
  file(REMOVE_RECURSE "${work}") # what an earlier run installed must not help this one
  run("${CMAKE_COMMAND}" --install "${build}" --prefix "${work}/prefix")
  list(APPEND options "-DCMAKE_PREFIX_PATH=${work}/prefix" -DCMAKE_BUILD_TYPE=Release)
else()
  # Hardly optimised, to be quick.
  list(APPEND options "-DSCRY_SOURCE_DIR=${source}" -DCMAKE_BUILD_TYPE=Debug)
endif()
run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/${way}" -B "${work}/build" -G "${generator}" ${options})
run("${CMAKE_COMMAND}" --build "${work}/build" --parallel 2)
run("${work}/build/consumer")
