-- voiced: keys for Hyprland from 0.55 on.  Append to ~/.config/hypr/hyprland.lua
-- The exec spares a shell: so no command can overtake another.
hl.bind("code:191", hl.dsp.exec_cmd("exec /usr/bin/voicectl toggle"))
hl.bind("code:192", hl.dsp.exec_cmd("exec /usr/bin/voicectl mute toggle"))
