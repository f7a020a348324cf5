# scry_fashion_mnist offers a header with the folder of the data set. (A macro would come in the way of precompiled headers.) A program that
# doesn't find its files there says so when it runs: the library builds without them.
set(SCRY_FASHION_MNIST_DIR /usr/share/datasets/fashion-mnist CACHE PATH "Folder of the four files of Fashion-MNIST")
file(CONFIGURE OUTPUT fashion_mnist/scry_fashion_mnist.hpp @ONLY CONTENT "#pragma once
inline constexpr const char* fashion_mnist_folder = R\"(@SCRY_FASHION_MNIST_DIR@)\";
")
add_library(scry_fashion_mnist INTERFACE)
target_include_directories(scry_fashion_mnist INTERFACE "${CMAKE_CURRENT_BINARY_DIR}/fashion_mnist")
