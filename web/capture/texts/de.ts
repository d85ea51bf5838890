import type { Texts } from './texts.ts';

/** What the capture element says, in German. */
export const de: Texts = {
  page_title: 'Verifizierung',
  loading: 'Einen Moment …',
  step: 'Schritt {number} von {count}',

  intro_title: 'Zeigen Sie, dass Sie es sind',
  intro_text_spoof_detect: 'Sie machen ein Foto von Ihrem Gesicht. Das dauert etwa eine Minute.',
  intro_text_photo_verify:
    'Sie machen ein Foto von Ihrem Ausweis und eines von Ihrem Gesicht. Das dauert etwa zwei Minuten.',
  intro_text_video_verify:
    'Sie machen ein Foto von Ihrem Ausweis und nehmen ein kurzes Video auf. Das dauert etwa drei Minuten.',
  intro_id_card: 'Halten Sie Ihren Ausweis bereit: die Seite mit dem Foto.',
  intro_selfie:
    'Suchen Sie einen gleichmäßig hellen Ort. Nehmen Sie Sonnenbrille und alles ab, was Ihr Gesicht verdeckt.',
  intro_video: 'Suchen Sie einen ruhigen Ort: Sie sprechen sechs Ziffern laut auf Englisch.',
  intro_camera: 'Ihr Browser fragt, ob diese Seite die Kamera benutzen darf. Sie ist nur während der Aufnahme an.',
  test_hint: 'Dies ist ein Test. Das Ergebnis sagt nichts über Sie aus.',
  begin: 'Beginnen',
  on_phone: 'Mit dem Handy weitermachen',

  claim_title: 'Auf diesem Gerät weitermachen',
  claim_text:
    'Sie haben auf einem anderen Gerät begonnen. Machen Sie hier weiter und lassen Sie die andere Seite offen.',
  claim: 'Hier weitermachen',

  starting_title: 'Die Kamera wird gestartet',
  starting_text: 'Erlauben Sie die Kamera, wenn Ihr Browser fragt.',
  starting_text_video: 'Erlauben Sie Kamera und Mikrofon, wenn Ihr Browser fragt.',
  unanswered_text:
    'Ihr Browser wartet noch auf eine Antwort. Seine Frage steht oben im Fenster oder hinter dem Kamerasymbol in der Adresszeile.',

  selfie_title: 'Fotografieren Sie Ihr Gesicht',
  selfie_text: 'Halten Sie die Kamera auf Augenhöhe und bringen Sie Ihr Gesicht in das Oval.',
  id_card_title: 'Fotografieren Sie Ihren Ausweis',
  id_card_text: 'Legen Sie die Seite mit dem Foto in den Rahmen, sodass alle Kanten zu sehen sind.',
  video_title: 'Machen Sie sich bereit',
  video_text: 'Wenn Sie bereit sind, erscheinen nacheinander Ziffern. Sprechen Sie jede laut.',
  video_in_english: 'Sprechen Sie die Ziffern auf Englisch.',
  video_screen_reader: 'Mit einem Screenreader benutzen Sie bitte Kopfhörer: Jede Ziffer wird Ihnen vorgelesen.',
  video_level: 'Pegel des Mikrofons',
  video_preparing: 'Ihre Ziffern werden geholt …',
  take: 'Foto aufnehmen',
  ready: 'Ich bin bereit',
  camera: 'Kamera',
  camera_number: 'Kamera {number}',
  preview: 'Kamerabild',
  choose_file: 'Stattdessen ein Foto wählen',

  recording_title: 'Sprechen Sie jede Ziffer laut',
  recording_soon: 'Schauen Sie in die Kamera …',
  recording_digit: 'Ziffer {number} von {count}',
  recording_turn_left: 'Drehen Sie den Kopf nach links und zurück',
  recording_turn_right: 'Drehen Sie den Kopf nach rechts und zurück',
  recording_over: 'Danke, das war die letzte Ziffer.',

  guide_good: 'Bitte stillhalten …',
  guide_face_not_detected: 'Bringen Sie Ihr Gesicht in das Oval',
  guide_multiple_faces: 'Nur Sie sollten im Bild sein',
  guide_face_too_small: 'Kommen Sie näher',
  guide_face_too_large: 'Gehen Sie etwas zurück',
  guide_face_cropped: 'Das ganze Gesicht gehört ins Bild',
  guide_face_turned: 'Schauen Sie gerade in die Kamera',
  guide_too_blurred: 'Halten Sie still',
  guide_too_noisy: 'Suchen Sie mehr Licht',
  guide_unnatural_colours: 'Suchen Sie Tageslicht oder weißes Licht',
  guide_too_dark: 'Drehen Sie sich zu einem Fenster oder einer Lampe',
  guide_too_bright: 'Drehen Sie sich vom direkten Licht weg',
  taken: 'Foto aufgenommen.',

  review_title_selfie: 'Ist Ihr Gesicht gut zu sehen?',
  review_text_selfie: 'Es sollte scharf, gleichmäßig hell und ganz im Bild sein.',
  review_title_id_card: 'Ist Ihr Ausweis gut zu sehen?',
  review_text_id_card: 'Alle Kanten sollten im Bild sein und das Foto scharf.',
  review_title_video: 'Dieses Video senden?',
  review_text_video: 'Ihr Gesicht sollte immer zu sehen sein und jede Ziffer zu hören.',
  review_picture: 'Ihr Bild',
  keep: 'Verwenden',
  again: 'Noch einmal aufnehmen',

  uploading_title_selfie: 'Ihr Foto wird gesendet',
  uploading_title_id_card: 'Das Foto Ihres Ausweises wird gesendet',
  uploading_title_video: 'Ihr Video wird gesendet',
  uploading_text: 'Bitte lassen Sie diese Seite offen.',
  uploading_percent: '{percent} gesendet',
  uploading_offline: 'Sie sind offline. Das Senden geht von selbst weiter, sobald die Verbindung zurück ist.',

  waiting_title: 'Wird geprüft …',
  waiting_text: 'Das dauert meist nur wenige Sekunden.',
  waiting_long: 'Das dauert länger als sonst. Sie können diese Seite schließen, wir melden uns.',

  recapture_title: 'Bitte versuchen Sie es noch einmal',
  recapture_rounds_1: 'Sie haben noch einen Versuch.',
  recapture_rounds_2: 'Sie haben noch zwei Versuche.',
  try_again: 'Noch einmal versuchen',

  interrupted_title: 'Die Kamera wurde angehalten',
  interrupted_hidden:
    'Diese Seite war im Hintergrund, deshalb wurde die Kamera ausgeschaltet. Beginnen Sie diesen Schritt noch einmal.',
  interrupted_ended:
    'Die Kamera hat von selbst aufgehört: Sie wurde getrennt, oder eine andere App benutzt sie. Beginnen Sie diesen Schritt noch einmal.',
  interrupted_rotated:
    'Sie haben Ihr Gerät gedreht. Halten Sie es, wie Sie möchten, und beginnen Sie diesen Schritt noch einmal.',
  interrupted_digits_expired:
    'Das hat länger gedauert, als die Ziffern gelten. Sie bekommen neue: Nehmen Sie das Video noch einmal auf.',
  go_on: 'Weiter',

  trouble_title: 'Die Kamera kann nicht benutzt werden',
  trouble_title_again: 'Das machen wir noch einmal',
  trouble_title_file: 'Diese Datei geht nicht',
  denied:
    'Diese Seite darf die Kamera nicht benutzen. Erlauben Sie es in den Einstellungen Ihres Browsers: Drücken Sie auf das Symbol neben der Adresse, erlauben Sie Kamera und Mikrofon, und versuchen Sie es noch einmal.',
  denied_by_system:
    'Ihr Gerät lässt diesen Browser die Kamera nicht benutzen. Erlauben Sie es in den Datenschutz-Einstellungen des Geräts, und versuchen Sie es noch einmal.',
  dismissed:
    'Die Frage Ihres Browsers wurde ohne Antwort geschlossen. Versuchen Sie es noch einmal und wählen Sie „Zulassen“.',
  not_found: 'Es wurde keine Kamera gefunden. Schließen Sie eine an, oder machen Sie mit dem Handy weiter.',
  no_microphone: 'Es wurde kein Mikrofon gefunden. Schließen Sie eines an, oder machen Sie mit dem Handy weiter.',
  busy: 'Eine andere App oder ein anderer Tab benutzt die Kamera. Schließen Sie sie, und versuchen Sie es noch einmal.',
  overconstrained:
    'Die gewählte Kamera kann nicht, was gebraucht wird. Wählen Sie eine andere, oder machen Sie mit dem Handy weiter.',
  insecure:
    'Browser erlauben die Kamera nur auf sicheren Seiten. Öffnen Sie diese Seite unter einer Adresse, die mit https beginnt.',
  not_allowed_in_frame:
    'Die Website um diese Seite herum lässt sie die Kamera nicht benutzen. Machen Sie mit dem Handy weiter, oder wählen Sie ein Foto.',
  in_app_browser:
    'Sie haben diese Seite in einer anderen App geöffnet, die die Kamera für sich behält. Kopieren Sie den Link und öffnen Sie ihn in Ihrem Browser.',
  unsupported:
    'Dieser Browser kann die Kamera nicht benutzen. Aktualisieren Sie ihn, nehmen Sie einen anderen, oder machen Sie mit dem Handy weiter.',
  cannot_record:
    'Dieser Browser kann kein Video aufnehmen. Benutzen Sie die Kamera-App Ihres Geräts, oder machen Sie mit dem Handy weiter.',
  black: 'Das Bild ist schwarz. Ist die Kamera verdeckt oder ihre Blende geschlossen?',
  silent: 'Es war nichts zu hören. Prüfen Sie, ob das Mikrofon an und nicht stumm ist, und nehmen Sie noch einmal auf.',
  too_short: 'Die Aufnahme ist zu kurz geworden. Schließen Sie andere Apps, und nehmen Sie noch einmal auf.',
  file_is_pdf: 'Das ist ein PDF. Bitte machen Sie ein Foto, oder wählen Sie ein Bild.',
  file_type: 'Diese Art Datei geht hier nicht. Bitte benutzen Sie Ihre Kamera.',
  file_too_large:
    'Die Datei ist größer als {megabytes} MB. Bitte nehmen Sie ein neues Bild oder ein kürzeres Video auf.',
  file_unreadable: 'Wir konnten die Datei nicht öffnen. Bitte nehmen Sie mit Ihrer Kamera eine neue auf.',
  not_taken: 'Das Bild konnte nicht aufgenommen werden. Bitte versuchen Sie es noch einmal.',
  retry: 'Noch einmal versuchen',
  by_file: 'Kamera-App benutzen',
  open_elsewhere: 'Link für einen anderen Browser oder ein anderes Gerät',

  by_file_title: 'Mit der Kamera-App aufnehmen',
  by_file_text: 'Sprechen Sie im Video diese Ziffern nacheinander auf Englisch, und schauen Sie in die Kamera:',
  by_file_turn_left: 'Drehen Sie nach {seconds} Sekunden den Kopf nach links und zurück.',
  by_file_turn_right: 'Drehen Sie nach {seconds} Sekunden den Kopf nach rechts und zurück.',
  by_file_record: 'Video aufnehmen',

  hand_off_title: 'Mit dem Handy weitermachen',
  hand_off_text: 'Richten Sie die Kamera Ihres Handys auf diesen Code, und öffnen Sie den Link.',
  hand_off_code: 'QR-Code mit dem Link für Ihr Handy',
  hand_off_left: 'Der Code gilt noch {time}.',
  hand_off_over: 'Dieser Code gilt nicht mehr.',
  hand_off_new: 'Neuen Code zeigen',
  hand_off_copy: 'Link kopieren',
  hand_off_copied: 'Der Link ist kopiert. Er lässt sich einmal öffnen.',
  hand_off_back: 'Zurück zu diesem Gerät',

  handed_off_title: 'Ihr Handy hat übernommen',
  handed_off_text: 'Machen Sie dort weiter, und lassen Sie diese Seite offen.',
  take_back: 'Doch hier weitermachen',

  elsewhere_title: 'Das ist in einem anderen Tab offen',
  elsewhere_text: 'Machen Sie dort weiter, oder übernehmen Sie hier.',
  take_over: 'Hier weitermachen',

  unreachable_title: 'Keine Verbindung',
  unreachable_text:
    'Wir sind gerade nicht zu erreichen. Prüfen Sie Ihre Verbindung, und versuchen Sie es noch einmal; es geht nichts verloren.',

  passed_title: 'Danke, das hat geklappt.',
  passed_text: 'Sie sind hier fertig.',
  passed_text_phone: 'Sie sind hier fertig. Machen Sie auf Ihrem anderen Gerät weiter.',
  failed_title: 'Wir konnten Sie nicht verifizieren.',
  failed_text: 'Bitte melden Sie sich bei uns, wir helfen Ihnen.',
  errored_title: 'Bei uns ist etwas schiefgegangen.',
  errored_text: 'Sie müssen nichts tun, wir melden uns bei Ihnen.',
  rounds_spent_title: 'Das hat diesmal nicht geklappt.',
  rounds_spent_text: 'Bitte melden Sie sich bei uns, wir helfen Ihnen.',
  expired_title: 'Die Zeit dafür ist vorbei.',
  expired_text: 'Bitte gehen Sie dorthin zurück, wo Sie herkamen, und beginnen Sie neu.',
  closed_title: 'Hier gibt es nichts zu tun.',
  closed_text: 'Dieser Link geht nicht oder gilt nicht mehr. Bitte gehen Sie dorthin zurück, wo Sie herkamen.',
  closed_text_hand_off: 'Dieser Link gilt nicht mehr. Zeigen Sie auf Ihrem anderen Gerät einen neuen Code.',

  return_to: 'Zurück zu {name}',
  return_plain: 'Weiter',
  return_soon: 'In wenigen Sekunden geht es von selbst weiter.',

  reason_face_not_detected:
    'Wir finden kein Gesicht. Zeigen Sie Ihr ganzes Gesicht und die Seite des Ausweises mit dem Foto.',
  reason_multiple_faces: 'Es ist noch jemand im Bild. Bitte nehmen Sie es allein auf.',
  reason_face_too_small: 'Ihr Gesicht ist zu weit weg. Bitte kommen Sie näher.',
  reason_face_too_large: 'Ihr Gesicht ist zu nah. Bitte halten Sie die Kamera weiter weg.',
  reason_face_cropped: 'Ein Teil Ihres Gesichts ist außerhalb des Bildes. Bitte halten Sie es ganz im Bild.',
  reason_face_turned: 'Bitte halten Sie die Kamera aufrecht, und schauen Sie gerade hinein.',
  reason_too_blurred: 'Das Bild ist unscharf. Wischen Sie die Linse ab, und halten Sie still.',
  reason_too_noisy: 'Das Bild ist körnig. Bitte nehmen Sie es bei besserem Licht und ohne Filter auf.',
  reason_unnatural_colours:
    'Die Farben sind ungewöhnlich. Bitte nehmen Sie es bei Tageslicht oder weißem Licht und ohne Filter auf.',
  reason_too_dark: 'Es ist zu dunkel. Bitte drehen Sie sich zu einem Fenster oder einer Lampe.',
  reason_too_bright: 'Es ist zu hell. Bitte drehen Sie sich vom direkten Licht weg.',
  reason_capture_unreadable: 'Wir konnten die Datei nicht öffnen. Bitte nehmen Sie mit Ihrer Kamera eine neue auf.',
  reason_capture_too_large: 'Die Datei ist zu groß. Bitte nehmen Sie ein neues Bild oder ein kürzeres Video auf.',
  reason_format_unsupported:
    'Wir können Videos dieses Formats nicht lesen. Bitte nehmen Sie mit einer anderen App, einem anderen Browser oder Handy auf.',
  reason_video_too_short: 'Das Video ist zu kurz. Bitte nehmen Sie auf, bis Sie alle Ziffern gesprochen haben.',
  reason_move_your_head:
    'Bitte bewegen Sie den Kopf, während Sie sprechen: ein wenig hin und her, oder so, wie Sie gebeten wurden.',
  reason_card_not_seen: 'Wir sehen Ihren Ausweis nicht. Bitte fotografieren Sie die Karte selbst, mit allen Kanten.',
  reason_id_face_too_small: 'Das Foto auf Ihrem Ausweis ist zu klein. Bitte gehen Sie mit der Kamera näher heran.',
  reason_audio_missing: 'Das Video hat keinen Ton. Bitte erlauben Sie das Mikrofon, und nehmen Sie noch einmal auf.',
  reason_digits_not_heard:
    'Wir konnten die Ziffern nicht hören. Bitte sprechen Sie sie laut und deutlich an einem ruhigen Ort.',
  reason_challenge_expired:
    'Das hat zu lange gedauert. Bitte nehmen Sie das Video noch einmal auf, und sprechen Sie die neuen Ziffern.',
  reason_unknown:
    'Bitte nehmen Sie es noch einmal auf: bei gutem Licht, mit dem Blick in die Kamera, und halten Sie still.',
};
