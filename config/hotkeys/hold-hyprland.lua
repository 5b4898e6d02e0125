-- voiced: hold a key to talk, for Hyprland from 0.55 on.  Append to ~/.config/hypr/hyprland.lua
-- A conversation must be running; the last key begins and ends it.
hl.bind("code:191", hl.dsp.exec_cmd("/usr/bin/voicectl ptt press"))
hl.bind("code:191", hl.dsp.exec_cmd("/usr/bin/voicectl ptt release"), { release = true, locked = true })
hl.bind("code:192", hl.dsp.exec_cmd("/usr/bin/voicectl mute toggle"))
hl.bind("code:193", hl.dsp.exec_cmd("/usr/bin/voicectl toggle"))
