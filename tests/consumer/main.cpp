#include <scry/scry.hpp>

#include <iostream>

int main() {
  const scry::Tensor x = scry::ones({2, 3});
  const scry::Tensor y = scry::sum(x + x);
  std::cout << "scry " << SCRY_VERSION << ": the sum of six twos is " << y.item() << '\n';
  return y.item() == 12.0 ? 0 : 1;
}
