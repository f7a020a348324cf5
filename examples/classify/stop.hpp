#pragma once

namespace classify {

/// From now on Ctrl-C and other polite requests to end (SIGTERM, a closed terminal) are only noted, so that what runs can be brought to a
/// good end. The second of a kind ends the program at once. Signals that whoever started the program wants ignored stay so.
void note_stop_signals();

/// The signal that came, or 0.
int stop_signal();

}  // namespace classify
