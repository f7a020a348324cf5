# scry_fashion_mnist defines the macro SCRY_FASHION_MNIST_DIR, the folder of the data set. A program that doesn't find its files
# there says so when it runs: the library builds without them.
set(SCRY_FASHION_MNIST_DIR /usr/share/datasets/fashion-mnist CACHE PATH "Folder of the four files of Fashion-MNIST")
add_library(scry_fashion_mnist INTERFACE)
target_compile_definitions(scry_fashion_mnist INTERFACE SCRY_FASHION_MNIST_DIR="${SCRY_FASHION_MNIST_DIR}")
