// Slack's emoji shortcodes as characters: the common ones, and those that reactions offer.

const TABLE = `
+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|100 💯|airplane ✈️|alarm_clock ⏰|arrow_down ⬇️|arrow_left ⬅️|arrow_right ➡️|arrow_up ⬆️
arrow_forward ▶️|arrows_counterclockwise 🔄|repeat 🔁|art 🎨|ballot_box_with_check ☑️|bar_chart 📊|battery 🔋|bell 🔔|no_bell 🔕|beers 🍻|bike 🚲
black_large_square ⬛|white_large_square ⬜|large_blue_circle 🔵|large_green_circle 🟢|large_yellow_circle 🟡|large_orange_circle 🟠|large_purple_circle 🟣|red_circle 🔴|white_circle ⚪|black_circle ⚫
large_green_square 🟩|large_yellow_square 🟨|large_red_square 🟥|large_blue_square 🟦|large_blue_diamond 🔷|large_orange_diamond 🔶|small_blue_diamond 🔹|small_orange_diamond 🔸
blush 😊|bomb 💣|book 📖|bookmark 🔖|boom 💥|brain 🧠|bug 🐛|bulb 💡|calendar 📆|date 📅|camera 📷|cat 🐱|chart_with_upwards_trend 📈|chart_with_downwards_trend 📉
clap 👏|clipboard 📋|clock1 🕐|clock3 🕒|clock9 🕘|cloud ☁️|coffee ☕|collision 💥|computer 💻|construction 🚧|construction_worker 👷|cop 👮|credit_card 💳|cry 😢|crown 👑
dart 🎯|diamonds ♦️|dizzy 💫|dog 🐶|door 🚪|double_vertical_bar ⏸️|pause_button ⏸️|black_square_for_stop ⏹️|stop_button ⏹️|record_button ⏺️|fast_forward ⏩|dragon 🐉|dove_of_peace 🕊️
envelope ✉️|exclamation ❗|heavy_exclamation_mark ❗|grey_exclamation ❕|bangbang ‼️|eyes 👀|eye 👁️|face_with_monocle 🧐|factory 🏭|file_folder 📁|open_file_folder 📂|fire 🔥|flag-white 🏳️|floppy_disk 💾|fork_and_knife 🍴
gear ⚙️|gem 💎|ghost 👻|gift 🎁|grin 😁|grinning 😀|hammer 🔨|hammer_and_wrench 🛠️|hand ✋|raised_hand ✋|handshake 🤝|hatching_chick 🐣|hash #️⃣|headphones 🎧|heart ❤️|heart_eyes 😍|heavy_check_mark ✔️|heavy_multiplication_x ✖️|heavy_plus_sign ➕|heavy_minus_sign ➖
hourglass ⌛|hourglass_flowing_sand ⏳|house 🏠|inbox_tray 📥|outbox_tray 📤|incoming_envelope 📨|information_source ℹ️|innocent 😇|joy 😂|key 🔑|keyboard ⌨️|label 🏷️|ladybug 🐞|laughing 😆|leaves 🍃|link 🔗|lock 🔒|unlock 🔓|closed_lock_with_key 🔐|loudspeaker 📢|mega 📣
mag 🔍|mag_right 🔎|mailbox 📫|mailbox_with_mail 📬|memo 📝|pencil 📝|pencil2 ✏️|metal 🤘|microscope 🔬|money_with_wings 💸|moneybag 💰|moon 🌔|crescent_moon 🌙|mountain ⛰️|muscle 💪|musical_note 🎵
neutral_face 😐|new 🆕|newspaper 📰|no_entry ⛔|no_entry_sign 🚫|night_with_stars 🌃|notebook 📓|octagonal_sign 🛑|ok 🆗|ok_hand 👌|package 📦|page_facing_up 📄|paperclip 📎|partying_face 🥳|party_popper 🎉|tada 🎉|people_holding_hands 👫|busts_in_silhouette 👥|bust_in_silhouette 👤
pray 🙏|pushpin 📌|round_pushpin 📍|question ❓|grey_question ❔|rage 😡|rainbow 🌈|raised_hands 🙌|recycle ♻️|relaxed ☺️|rewind ⏪|robot_face 🤖|rocket 🚀|rotating_light 🚨|running 🏃|runner 🏃|sob 😭|satellite 🛰️|scales ⚖️|scissors ✂️|scroll 📜|see_no_evil 🙈|seedling 🌱|shield 🛡️|ship 🚢|shipit 🐿️|shrug 🤷|simple_smile 🙂|slightly_smiling_face 🙂|slightly_frowning_face 🙁
skull 💀|sleeping 😴|zzz 💤|smile 😄|smiley 😃|snail 🐌|snowflake ❄️|sparkles ✨|speech_balloon 💬|left_speech_bubble 🗨️|spiral_note_pad 🗒️|star ⭐|star2 🌟|stars 🌠|stethoscope 🩺|stop_sign 🛑|stopwatch ⏱️|timer_clock ⏲️|sun_with_face 🌞|sunny ☀️|sunrise 🌅|sunglasses 😎|sweat_smile 😅|tag 🏷️|telephone_receiver 📞|test_tube 🧪|thinking_face 🤔|thought_balloon 💭|ticket 🎫|toolbox 🧰|traffic_light 🚦|triangular_flag_on_post 🚩|triangular_ruler 📐|trophy 🏆|turtle 🐢|twisted_rightwards_arrows 🔀
umbrella ☔|unamused 😒|upside_down_face 🙃|v ✌️|vertical_traffic_light 🚦|warning ⚠️|wastebasket 🗑️|watch ⌚|wave 👋|white_check_mark ✅|wink 😉|wrench 🔧|writing_hand ✍️|x ❌|negative_squared_cross_mark ❎|yum 😋|zap ⚡|zipper_mouth_face 🤐
one 1️⃣|two 2️⃣|three 3️⃣|four 4️⃣|five 5️⃣|six 6️⃣|seven 7️⃣|eight 8️⃣|nine 9️⃣|keycap_ten 🔟|zero 0️⃣|heart_on_fire ❤️‍🔥|technologist 🧑‍💻|herb 🌿|evergreen_tree 🌲|deciduous_tree 🌳|chains ⛓️|knot 🪢|hook 🪝|broom 🧹|beetle 🪲|magic_wand 🪄|compass 🧭|world_map 🗺️|balance_scale ⚖️|bellhop_bell 🛎️|card_index_dividers 🗂️|card_file_box 🗃️|arrow_heading_down ⤵️|leftwards_arrow_with_hook ↩️|arrow_right_hook ↪️
`;

/** @type {Map<string, string>} */
export const EMOJI = new Map(
  TABLE.trim()
    .split(/[\n|]/)
    .map((entry) => /** @type {[string, string]} */ (entry.trim().split(" "))),
);

/** What the reaction menu shows. */
export const QUICK = [
  "+1",
  "eyes",
  "white_check_mark",
  "tada",
  "heart",
  "rocket",
  "thinking_face",
  "pray",
  "-1",
  "x",
  "question",
  "fire",
];

/** The character for a shortcode, or the shortcode itself. @param {string} name */
export const emojiText = (name) => EMOJI.get(name.replace(/::skin-tone-\d$/, "")) || `:${name}:`;

/** Replace the shortcodes of a plain text. @param {string} text */
export const withEmoji = (text) =>
  text.replace(/:([a-z0-9_+'-]+(?:::skin-tone-\d)?):/g, (whole, name) => (EMOJI.has(name) ? emojiText(name) : whole));
