# voiced: keys for GNOME.  Run it: voicectl hotkeys show gnome | sh
# Your other shortcuts stay.  These two appear in Settings, Keyboard, Custom Shortcuts.
# GNOME tells of a key that goes down and not when it goes up: no key can be held to talk.
set -eu
schema=org.gnome.settings-daemon.plugins.media-keys
bind() {
  place=/org/gnome/settings-daemon/plugins/media-keys/custom-keybindings/voiced-$1/
  gsettings set "$schema.custom-keybinding:$place" name "\"voiced: $2\""
  gsettings set "$schema.custom-keybinding:$place" command "\"$3\""
  gsettings set "$schema.custom-keybinding:$place" binding "\"$4\""
  list=$(gsettings get "$schema" custom-keybindings)
  case $list in
  *"'$place'"*) ;;
  *\'*) gsettings set "$schema" custom-keybindings "${list%]}, '$place']" ;;
  *) gsettings set "$schema" custom-keybindings "['$place']" ;;
  esac
}
bind toggle "begin or end a conversation" "/usr/bin/voicectl toggle" "Pause"
bind mute "close or open the microphone" "/usr/bin/voicectl mute toggle" "<Shift>Pause"
