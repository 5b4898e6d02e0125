-- voiced: hold a key to talk, for Hyprland from 0.55 on.  Append to ~/.config/hypr/hyprland.lua
-- The exec spares a shell: so no command can overtake another.
-- The first press begins a conversation; the last key ends it, or begins one.
hl.bind("code:191", hl.dsp.exec_cmd("exec /usr/bin/voicectl ptt press"))
hl.bind("code:191", hl.dsp.exec_cmd("exec /usr/bin/voicectl ptt release"), { release = true, locked = true })
hl.bind("code:192", hl.dsp.exec_cmd("exec /usr/bin/voicectl mute toggle"))
hl.bind("code:193", hl.dsp.exec_cmd("exec /usr/bin/voicectl toggle"))
