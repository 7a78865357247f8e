//! The kit's own words in a form, in English and Ukrainian; a definition can change them and add others.

/// The languages that the kit itself speaks; the first one is for all others.
pub(super) const LANGUAGES: [&str; 2] = ["en", "uk"];

/// Each word's key, and the word in each of [`LANGUAGES`].
///
/// Those that begin with `wrong_` are for the codes of `check::Wrong`: what a person reads at a field. In `suggestion`, `{}` stands
/// for the address that is meant.
pub(super) const WORDS: &[(&str, [&str; 2])] = &[
    // Labels.
    ("email", ["Email", "Електронна пошта"]),
    ("phone", ["Phone", "Телефон"]),
    ("country", ["Country code", "Код країни"]),
    ("first_name", ["First name", "Імʼя"]),
    ("last_name", ["Last name", "Прізвище"]),
    ("birthday", ["Birthday", "День народження"]),
    ("subscriptions", ["What would you like to get?", "Що ви хочете отримувати?"]),
    ("choose", ["Please choose", "Оберіть"]),
    ("optional", ["optional", "необовʼязково"]),
    // Buttons.
    ("button", ["Subscribe", "Підписатися"]),
    ("request_button", ["Send", "Надіслати"]),
    ("confirm_button", ["Yes, subscribe me", "Так, підписати мене"]),
    ("next", ["Next", "Далі"]),
    ("back", ["Back", "Назад"]),
    ("close", ["Close", "Закрити"]),
    ("launcher", ["Subscribe", "Підписатися"]),
    // Ends.
    ("thanks_title", ["Almost done", "Майже готово"]),
    (
        "thanks_text",
        [
            "Check your mail: a letter is on its way. If it asks you to confirm, please do.",
            "Перевірте пошту: лист уже в дорозі. Якщо в ньому є прохання підтвердити — підтвердьте.",
        ],
    ),
    ("thanks_phone_text", ["Thank you, we have your number.", "Дякуємо, ми отримали ваш номер."]),
    ("request_title", ["Thank you", "Дякуємо"]),
    ("request_text", ["We have got your request.", "Ми отримали ваш запит."]),
    (
        "stored_text",
        [
            "We have saved your details, but the mail service is not answering right now. \
             It goes on by itself; the letter may take a while.",
            "Ми зберегли ваші дані, але поштовий сервіс зараз не відповідає. \
             Усе продовжиться саме; лист може трохи затриматися.",
        ],
    ),
    ("subscribed_text", ["You are subscribed.", "Вас підписано."]),
    ("already_text", ["You are subscribed already.", "Ви вже підписані."]),
    (
        "blacklisted_text",
        [
            "We cannot write to this address. Please give another one.",
            "Ми не можемо писати на цю адресу. Вкажіть, будь ласка, іншу.",
        ],
    ),
    ("code_text", ["Your code:", "Ваш код:"]),
    // The page that asks those without script once more.
    ("confirm_title", ["One more step", "Ще один крок"]),
    (
        "confirm_text",
        [
            "Please check what you have given, and confirm that you are a person.",
            "Перевірте, будь ласка, свої дані й підтвердьте, що ви людина.",
        ],
    ),
    // Where a form has a test that needs script.
    (
        "no_script",
        [
            "To keep programs out, this form checks that a person sends it. The check needs JavaScript, \
             and your browser does not run it here. Please turn JavaScript on and load this page once \
             more, or write to us.",
            "Щоб не пускати програми, ця форма перевіряє, чи надсилає її людина. Для перевірки потрібен \
             JavaScript, а ваш браузер його тут не виконує. Увімкніть JavaScript і завантажте сторінку \
             ще раз або напишіть нам.",
        ],
    ),
    // Of the form as a whole.
    ("sending", ["Sending…", "Надсилаємо…"]),
    (
        "failed",
        [
            "This did not work. Please try again in a minute.",
            "Не вдалося. Спробуйте, будь ласка, за хвилину.",
        ],
    ),
    (
        "offline",
        ["There is no connection. Please try again.", "Немає зʼєднання. Спробуйте ще раз."],
    ),
    (
        "too_many",
        [
            "Too many attempts. Please try again later.",
            "Забагато спроб. Спробуйте, будь ласка, пізніше.",
        ],
    ),
    ("human", ["Please confirm that you are a person.", "Підтвердьте, будь ласка, що ви людина."]),
    ("suggestion", ["Did you mean {}?", "Можливо, ви мали на увазі {}?"]),
    ("look_again", ["Please check the marked fields.", "Перевірте, будь ласка, позначені поля."]),
    // At fields.
    ("wrong_missing", ["Please fill this in.", "Заповніть це поле."]),
    ("wrong_consent", ["We need your consent.", "Потрібна ваша згода."]),
    (
        "wrong_unreachable",
        ["Please give an email address or a phone number.", "Вкажіть пошту або телефон."],
    ),
    (
        "wrong_email",
        [
            "Please give an address like name@example.com.",
            "Вкажіть адресу на зразок name@example.com.",
        ],
    ),
    (
        "wrong_email_letters",
        ["Please write the address in Latin letters.", "Напишіть адресу латинськими літерами."],
    ),
    ("wrong_phone", ["Please give a phone number.", "Вкажіть номер телефону."]),
    (
        "wrong_phone_country",
        ["Please begin with + and the code of your country.", "Почніть із + та коду вашої країни."],
    ),
    ("wrong_phone_short", ["This number is too short.", "Номер закороткий."]),
    ("wrong_phone_long", ["This number is too long.", "Номер задовгий."]),
    (
        "wrong_phone_region",
        ["Numbers of this country are not taken here.", "Номери цієї країни тут не приймаються."],
    ),
    (
        "wrong_name",
        [
            "Please use letters: some of these characters cannot be taken.",
            "Використовуйте літери: деякі з цих символів не підходять.",
        ],
    ),
    ("wrong_too_long", ["This is too long.", "Це задовго."]),
    (
        "wrong_text",
        ["Some of these characters cannot be taken.", "Деякі з цих символів не підходять."],
    ),
    ("wrong_number", ["Please give a whole number.", "Вкажіть ціле число."]),
    ("wrong_range", ["This number is not possible here.", "Таке число тут неможливе."]),
    ("wrong_date", ["Please give a date.", "Вкажіть дату."]),
    ("wrong_birthday", ["Please give your date of birth.", "Вкажіть дату вашого народження."]),
    ("wrong_option", ["Please choose one of these.", "Оберіть одне з переліченого."]),
];

/// The kit's own word; nothing for a key that there is none for.
pub(super) fn word(key: &str, language: &str) -> Option<&'static str> {
    let column = LANGUAGES.iter().position(|own| *own == language).unwrap_or_default();
    let (_, words) = WORDS.iter().find(|(own, _)| *own == key)?;
    words.get(column).copied()
}
