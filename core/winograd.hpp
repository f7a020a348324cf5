#pragma once

namespace scry {

/// Whether convolutions of 3 x 3 and stride 1 in f32 may take Winograd's F(4x4, 3x3), as they do at the start: two to three times as fast, with
/// errors up to 1e-5 of the largest result instead of 1e-6; a NaN or an infinity spreads over its tile of 4 x 4 results. Off, every convolution is
/// computed directly. For all threads.
void set_winograd(bool on);
bool winograd();

}  // namespace scry
