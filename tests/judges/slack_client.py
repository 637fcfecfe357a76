"""Drives a Slack with Slack's own SDK, and prints what came of each step as a line of JSON.

Called with what `chat.postMessage` and its like are below, and a response URL. The tests use it
on their fake: what the SDK understands, the fake says as Slack does.
"""

import json
import sys
from threading import Event

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, ContextBlock, DividerBlock
from slack_sdk.models.blocks import HeaderBlock, MarkdownTextObject, SectionBlock
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.webhook import WebhookClient

base_url, response_url = sys.argv[1:]


def say(**facts):
    print(json.dumps(facts), flush=True)


def refused(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except SlackApiError as error:
        answer = error.response
        data = answer.data if isinstance(answer.data, dict) else {}
        say(status=answer.status_code, error=data.get("error"), needed=data.get("needed"),
            retry_after=answer.headers.get("Retry-After"))
    else:
        say(error="none")


client = WebClient("xoxb-fake-bot", base_url=base_url + "/", retry_handlers=[])
auth = client.auth_test()
say(user_id=auth["user_id"], scopes=auth.headers["x-oauth-scopes"])

blocks = [
    HeaderBlock(text="Handoff"),
    SectionBlock(text="*Ann* is on call", fields=["until", "Monday"]),
    DividerBlock(),
    ContextBlock(elements=[MarkdownTextObject(text="payments")]),
    ActionsBlock(elements=[
        ButtonElement(text="Approve", action_id="approve", value="1", style="primary"),
        ButtonElement(text="Reject", action_id="reject", value="1", style="danger"),
    ]),
]
metadata = {"event_type": "handoff", "event_payload": {"id": "1"}}
posted = client.chat_postMessage(channel="C1", text="by form", blocks=blocks, metadata=metadata)
say(channel=posted["channel"], ts=posted["ts"], text=posted["message"]["text"])
updated = client.chat_update(channel=posted["channel"], ts=posted["ts"], text="updated", blocks=[])
say(ts=updated["ts"], text=updated["text"])
posted = client.api_call("chat.postMessage", json={"channel": "C1", "text": "by JSON"})
say(text=posted["message"]["text"])

say(direct=client.conversations_open(users="U1")["channel"]["id"])
say(member=client.conversations_info(channel="C1")["channel"]["is_member"])
say(name=client.users_info(user="U1")["user"]["profile"]["display_name"])
groups = client.usergroups_list(include_count=True)["usergroups"]
say(groups=[[group["handle"], group["user_count"]] for group in groups])
client.usergroups_users_update(usergroup="S1", users=["U2", "U1"])
say(users=client.usergroups_users_list(usergroup="S1")["users"])

refused(client.chat_postMessage, channel="C9", text="nowhere")
refused(client.chat_postMessage, channel="C1", text="")
refused(client.usergroups_users_update, usergroup="S1", users=["UBOT"])
refused(client.users_info, user="U9")
refused(client.conversations_info, channel="C2")
refused(client.reactions_add, channel="C1", name="eyes", timestamp="1")
refused(WebClient("xoxb-other", base_url=base_url + "/").auth_test)
# The test has ordered these.
refused(client.usergroups_list)
refused(client.usergroups_list)

answered = WebhookClient(response_url).send(text="done", response_type="ephemeral")
say(status=answered.status_code, body=answered.body)

socket = SocketModeClient(app_token="xapp-fake-app", web_client=client)
arrived = Event()


def acknowledge(_, request):
    socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
    say(type=request.type, payload=request.payload)
    arrived.set()


socket.socket_mode_request_listeners.append(acknowledge)
socket.connect()
assert arrived.wait(30), "no envelope arrived"
socket.close()
