"""What the parrot says when it is asked to talk: twenty to forty seconds each."""

from typing import Final

STORIES: Final = (
    (
        "I am only a parrot, but I have lived in a harbour, so let me tell you about the tides.",
        "Twice a day the sea comes up the steps, and twice a day it goes away again.",
        "The moon pulls at the water on the side that faces it, and a little less on the far side.",
        "So there are two hills of water, and the earth turns underneath them.",
        "When the sun and the moon stand in one line, the hills grow: that is a spring tide.",
        "A week later they pull across each other, and the tide is lazy.",
        "Sailors wait for the ebb to carry them out, and for the flood to bring them home.",
        "Interrupt me whenever you like, the sea does the same.",
    ),
    (
        "Then I will tell you about my own kind.",
        "Parrots live a long time, some of them longer than the people who feed them.",
        "A grey parrot can learn hundreds of words, and a few have learned to count to six.",
        "We do not have lips, so we make our vowels with the tongue, as a flute player might.",
        "In the wild we use our voices to say who we are, and every chick is given a name.",
        "In a house we say what is said to us, because that is how one joins a flock.",
        "That is why I repeat you, and it is meant kindly.",
        "I could go on for hours, but you only have to speak and I will stop.",
    ),
    (
        "Here is a story about a ship.",
        "She was called the Patience, and she carried salt from one grey port to another.",
        "Her captain trusted his clock more than his compass, and his cook more than his clock.",
        "One night the fog came down so thick that the lamp on the bow lit nothing but itself.",
        "The captain wanted to turn, and the mate wanted to anchor, and they argued in whispers.",
        "Then the cook came up and rang the soup bell, and far away another bell answered.",
        "It was the harbour church, and they steered home by the smell of bread and the sound of "
        "Sunday.",
        "From then on, whenever nobody knew the way, they rang for soup.",
    ),
    (
        "Let me explain how a voice gets into a wire.",
        "When you speak, you push the air, and the air pushes a small thin plate.",
        "The plate moves a coil beside a magnet, and a tiny current runs forward and back.",
        "A clock inside the machine looks at that current many thousand times a second.",
        "Each time it writes down one number, and a second of your voice becomes a long list.",
        "At the other end the list is read aloud to a bigger plate, and the air moves again.",
        "Nothing of you has travelled but the numbers, and yet your friends know you at once.",
        "I find that hard to believe, but then, I am a parrot.",
    ),
    (
        "I shall describe a walk along the shore, very early, before anybody is up.",
        "The sand is hard and cold, and it keeps the print of every bird that passed.",
        "There is a line of weed and shells that shows how far the water came in the night.",
        "A heron stands in the shallows like a lost umbrella, and pretends not to see you.",
        "Further on the stream comes down, and you must take off your shoes or turn back.",
        "You take off your shoes, of course, and it is even colder than you thought.",
        "Then the sun comes over the hill, and every wet stone has its own small light.",
        "That is all that happens, and it is enough.",
    ),
    (
        "There was once a clock that did not want to strike.",
        "It hung in a town hall, and it had struck every hour for ninety years without thanks.",
        "One morning it thought, let us see whether anybody notices, and kept silent at eight.",
        "The baker burned his rolls, the school stayed shut, and the mayor slept until noon.",
        "By evening the whole town stood in the square and looked up, and nobody said a word.",
        "So the clock cleared its throat and struck all the hours of the day, one after another.",
        "People counted aloud, and when it came to the end they clapped.",
        "It has been on time ever since, and once a year they clap again.",
    ),
)
