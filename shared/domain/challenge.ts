/** How many digits a person is asked to say in a video. */
export const challengeDigits = 6;
