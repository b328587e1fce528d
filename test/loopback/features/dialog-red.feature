Feature: Dialogs that are not what was asked for
  These scenarios must not pass; test/loopback/side-by-side/dialog-steps.test.ts sees to it. Each is named for the
  code that it must end with.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: ERR_NO_EARLY_MEDIA
    Given the caller is in a call with the bot
    Then the caller gets early media

  Scenario: ERR_SESSION_NOT_REFRESHED, no timer
    Given the caller is in a call with the bot
    Then the session timer is refreshed by the caller within 1 s

  Scenario: ERR_SESSION_NOT_REFRESHED, the other side
    Given the caller asks for a session timer of 2 s
    And the caller is in a call with the bot
    Then the session timer is refreshed by the bot within 3 s

  Scenario: ERR_NOT_REDIRECTED
    Given the bot redirects calls to "sip:nobody@127.0.0.1:9"
    When the caller dials the bot
    Then the call is redirected
