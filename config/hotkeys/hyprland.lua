-- voiced: keys for Hyprland from 0.55 on.  Append to ~/.config/hypr/hyprland.lua
hl.bind("code:191", hl.dsp.exec_cmd("/usr/bin/voicectl toggle"))
hl.bind("code:192", hl.dsp.exec_cmd("/usr/bin/voicectl mute toggle"))
