"""Makes models/chat-templates/expected.json: templates and the texts that Jinja gives for them with the settings of transformers'
apply_chat_template (Debian's python3-jinja2 3.1.2). The templates are written for this test.
    python3 make_chats.py models"""
import datetime, json, os, sys
import jinja2
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2026, 3, 9, 14, 5, 7)


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def refuse(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
environment.filters["tojson"] = tojson
environment.globals["raise_exception"] = refuse
environment.globals["strftime_now"] = lambda format: NOW.strftime(format)

user = [{"role": "user", "content": "Hi  there\n"}]
talk = [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "What is 2+2?"},
        {"role": "assistant", "content": "<think>\nadd\n</think>\n\nFour."}, {"role": "user", "content": "Ärger & \"日本\" 😀?"}]
call = [{"role": "user", "content": "Weather in Paris?"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "abc123def", "type": "function", "function": {"name": "weather", "arguments": {"city": "Paris", "days": 2, "exact": True, "at": None, "x": 1.5, "big": 1e20}}}]},
        {"role": "tool", "name": "weather", "tool_call_id": "abc123def", "content": "{\"t\": 21}"}, {"role": "assistant", "content": "21 degrees."}]
parts = [{"role": "user", "content": [{"type": "text", "text": " one "}, {"type": "image"}, {"type": "text", "text": "two"}]}]
tools = [{"type": "function", "function": {"name": "weather", "description": "Looks up <weather> & \"wind\"", "parameters": {"type": "object", "properties": {
    "city": {"type": "string", "enum": ["Paris", "Łódź"]}, "days": {"type": "integer"}}, "required": ["city"]}}}]
tokens = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}

chatml = """{% for message in messages %}
    {%- if loop.first and message.role != 'system' %}
        {{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}
    {%- endif %}
    {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
headers = """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}{% set date_string = strftime_now("%d %b %Y") %}{% else %}{% set date_string = "unknown" %}{% endif %}
{%- endif %}
{#- The first message may be the system's. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
<|header|>system<|end|>

{% if tools is not none and tools %}
{{ "Functions: " + tools | map(attribute='function.name') | join(', ') }}
{%- for t in tools %}
    {{- t | tojson(indent=4) }}
    {{- "\\n\\n" }}
{%- endfor %}
{%- endif %}
Today: {{ date_string }}
{{ system_message }}<|eot|>
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|header|>' + message['role'] + '<|end|>\\n\\n'+ message['content'] | trim + '<|eot|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("One call at a time") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", "parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {%- for arg_name, arg_val in tool_call.arguments | items %}
            {{- arg_name + '="' ~ arg_val ~ '"' }}{% if not loop.last %}, {% endif %}
        {%- endfor %}
    {%- elif message.role == "tool" %}
        {%- if message.content is mapping or message.content is iterable and message.content is not string %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|header|>assistant<|end|>\\n\\n' }}
{%- endif %}
"""
inst = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace(index=0, tools=[]) %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("Roles must alternate") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" }}{%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("Call ids have nine characters") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- else %}
        {{- "[TOOL_RESULTS] " + message.content|string + "[/TOOL_RESULTS]" }}
    {%- endif %}
{%- endfor %}
"""
turns = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Alternate') }}{% endif %}
{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}
{{ '<start_of_turn>' + role + '
' }}
{%- if message['content'] is string -%}
{{ message['content'] | trim }}
{%- elif message['content'] is iterable -%}
    {%- for item in message['content'] -%}
        {%- if item['type'] == 'image' -%}
            {{ '<start_of_image>' }}
        {%- elif item['type'] == 'text' -%}
            {{ item['text'] | trim }}
        {%- endif -%}
    {%- endfor -%}
{%- endif -%}
{{ '<end_of_turn>
' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model
'}}{% endif %}"""
thinking = """{%- macro shown(content, count) %}
    {%- if content is string %}
        {{- content }}
    {%- else %}
        {%- for item in content %}
            {%- if item.type == 'image' %}
                {%- set count.value = count.value + 1 %}
                {{- 'Picture ' ~ count.value ~ ': ' }}
            {%- else %}
                {{- item.text }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
{%- endmacro %}
{%- set count = namespace(value=0) %}
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n{\\"name\\": <function-name>}<|im_end|>\\n" }}
{%- endif %}
{%- set ns = namespace(multi_step=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = shown(message.content or '', count) | trim %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index and (loop.last or reasoning_content) %}
            {%- generation %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- endgeneration %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\\n' }}
                {%- endif %}
                {%- if tool_call.function %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<tool_call>\\n{"name": "' }}{{- tool_call.name }}{{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}
                    {{- tool_call.arguments }}
                {%- else %}
                    {{- tool_call.arguments | tojson }}
                {%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' + content + '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""
bars = """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, system_prompt='', is_first_sp=true) %}{%- for message in messages %}{%- if message['role'] == 'system' %}{%- if ns.is_first_sp %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}{%- else %}{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}{%- endif %}{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system_prompt }}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<｜User｜>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' and message['content'] is not none %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + '<｜end｜>'}}{%- endif %}{%- if message['role'] == 'tool' %}{%- set ns.is_tool = true -%}{{'<｜tool｜>' + message['content']}}{%- endif %}{%- endfor -%}{% if ns.is_tool %}{{'<｜tools end｜>'}}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜>'}}{% endif %}"""

cases = []


def case(name, template, messages, prompt=False, **values):
    everything = dict(tokens, tools=None, documents=None, **{k: v for k, v in values.items() if k not in ("tools", "documents")})
    everything.update(values)
    entry = {"name": name, "template": template, "messages": messages, "prompt": prompt, "values": everything}
    try:
        entry["text"] = environment.from_string(template).render(messages=messages, add_generation_prompt=prompt, **everything)
    except Exception as error:
        entry["error"] = f"{type(error).__name__}: {error}"
    cases.append(entry)


for name, template in dict(chatml=chatml, headers=headers, inst=inst, turns=turns, thinking=thinking, bars=bars).items():
    for label, messages in dict(user=user, talk=talk, call=call, parts=parts).items():
        for prompt in (False, True):
            case(f"{name}-{label}-{prompt}", template, messages, prompt)
    case(f"{name}-tools", template, call, True, tools=tools, enable_thinking=False)
    case(f"{name}-empty", template, [], True)

snippets = r"""
{{ 1 + 2 * 3 ** 2 // 4 % 5 - -1 }} {{ 7 / 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** -1 }} {{ 1.0 }} {{ 1e16 }} {{ 1e-5 }} {{ 0.1 + 0.2 }} {{ 123456789.5 }} {{ 5.5 // 2 }} {{ 5.5 % 2 }}
{{ true }} {{ None }} {{ [1, 'a', none, true, 1.5, {'k': 'v'}] }} {{ {'a': [1]} }} {{ (1, 2) }} {{ "it's" }} {{ ["it's", 'q"', "\n"] }} {{ undefined_name }}|
{{ 'a' ~ 1 ~ none ~ true }} {{ 'ab' * 3 }} {{ [1] + [2] }} {{ [0] * 3 }} {{ 'x' in 'xyz' }} {{ 'k' in {'k': 1} }} {{ 3 not in [1, 2] }} {{ 1 < 2 < 3 }} {{ 1 < 2 > 5 }} {{ 'a' < 'b' }} {{ 1 == 1.0 }} {{ true == 1 }} {{ [1] == [1] }}
{{ 'yes' if messages else 'no' }} {{ 'x' if false }}| {{ 1 if 0 else 2 if 0 else 3 }} {{ not true or true and not false }} {{ '' or 'b' }} {{ 'a' and 'b' }} {{ 0 or none }}
{% for x in [1, 2, 3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('o', 'e') }};{% endfor %}
{% for x in [] %}x{% else %}none{% endfor %} {% for x in [1, 2, 3, 4, 5] if x is odd %}{{ x }}{{ loop.length }}{% else %}no{% endfor %} {% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }},{% endfor %} {% for c in 'héy😀' %}[{{ c }}]{% endfor %} {% for k in {'a': 1} %}{{ k }}{% endfor %}
{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %} {{ range(3) | list }} {{ range(2, 8, 3) | list }} {{ range(3, 0, -1) | list }}
{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }} {% set ns = namespace(x=1) %}{% for i in [1, 2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }} {% if true %}{% set y = 5 %}{% endif %}{{ y }}
{% set a, b = 1, 2 %}{{ a }}{{ b }} {% set t = 1, 2 %}{{ t }} {% set block %}in {{ 1 + 1 }} block{% endset %}[{{ block }}] {% set up | upper %}shout{% endset %}{{ up }} {% filter trim | upper %}  loud {% endfilter %}
{% macro m(a, b='d', c=none) %}{{ a }}-{{ b }}-{{ c }};{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(b='x', a='y') }}{{ m() }} {% macro rec(n) %}{{ n }}{% if n > 0 %}{{ rec(n - 1) }}{% endif %}{% endmacro %}{{ rec(3) }} {% macro w() %}<{{ caller() }}>{% endmacro %}{% call w() %}inner{% endcall %}
{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }} {# a comment #} x {#- trimmed -#} y
{{ 'abcdef'[1:3] }} {{ 'abcdef'[-2:] }} {{ 'abcdef'[::-1] }} {{ 'abcdef'[:-1] }} {{ 'abcdef'[::2] }} {{ 'abcdef'[4:1:-1] }} {{ [1, 2, 3][-1] }} {{ [1, 2, 3][5] }}| {{ 'abc'[0] }} {{ 'abc'[9] }}| {{ [1,2,3][:10] }} {{ [1,2,3][-10:2] }}
{{ '  a b '.strip() }}|{{ '  a'.lstrip() }}|{{ 'a  '.rstrip() }}|{{ 'xxaxx'.strip('x') }} {{ 'a,b,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'a b c'.split(maxsplit=1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ 'a\nb\n\nc'.splitlines() }} {{ ','.join(['a', 'b']) }}
{{ 'abc'.startswith('ab') }} {{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.endswith('bc') }} {{ 'hello world'.title() }} {{ 'hELLO'.capitalize() }} {{ 'aXbX'.replace('X', '-') }} {{ 'aXbX'.replace('X', '-', 1) }} {{ 'hello'.find('l') }} {{ 'hello'.find('z') }} {{ 'hello'.rfind('l') }} {{ 'hello'.count('l') }} {{ 'ab'.upper() }} {{ 'AB'.lower() }} {{ '12'.isdigit() }} {{ 'ab'.isalpha() }} {{ 'a1'.isalnum() }} {{ '7'.zfill(3) }} {{ 'AB'.isupper() }} {{ 'pre-x'.removeprefix('pre-') }} {{ 'x.txt'.removesuffix('.txt') }} {{ '{} and {}'.format(1, 'b') }}
{{ {'a': 1}.get('a') }} {{ {'a': 1}.get('b') }} {{ {'a': 1}.get('b', 2) }} {{ {'a': 1, 'b': 2}.keys() | list }} {{ {'a': 1}.values() | list }} {{ {'b': 1, 'a': 2} | dictsort }} {{ {'b': 1} | items | list }} {{ dict(a=1, b='x') }} {{ {'items': 1}['items'] }} {{ {'x': {'y': 2}}.x.y }} {{ {'a': 1}.zzz }}|
{{ '  x ' | trim }} {{ 'abc' | upper | lower | title }} {{ [3, 1, 2] | sort }} {{ [3, 1, 2] | sort(reverse=true) }} {{ ['b', 'A', 'c'] | sort }} {{ [1, 2, 3] | sum }} {{ [1, 5, 3] | max }} {{ [4, 2] | min }} {{ [1, 2, 2, 3] | unique | list }} {{ 'abc' | reverse }} {{ [1, 2] | reverse | list }} {{ 'abc' | first }} {{ [1, 2] | last }} {{ 'abc' | list }} {{ -3 | abs }} {{ '42' | int + 1 }} {{ 'x' | int }} {{ 'x' | int(7) }} {{ '1.5' | float }} {{ 2.567 | round(1) }} {{ 2.5 | round }} {{ 7 | string + 'x' }} {{ 'a b  c' | wordcount }}
{{ nothing | default('d') }} {{ '' | default('d') }}| {{ '' | default('d', true) }} {{ none | default('d') }} {{ none | d('e', boolean=true) }} {{ [1, 2] | join('-') }} {{ [1, none, true] | join(',') }} {{ [{'n': 'a'}, {'n': 'b'}] | map(attribute='n') | join('+') }} {{ ['a', 'b'] | map('upper') | list }} {{ [{'n': 1}, {}] | map(attribute='n', default=0) | list }} {{ 'a<b>&"\'' | e }} {{ 'a-b' | replace('-', '+') }}
{{ [1, 2, 3, 4] | select('odd') | list }} {{ [1, 0, '', 'a'] | select | list }} {{ [1, 2, 3] | reject('equalto', 2) | list }} {{ [{'r': 'u', 'c': 1}, {'r': 's', 'c': 2}] | selectattr('r', 'equalto', 'u') | map(attribute='c') | list }} {{ [{'a': 1}, {'b': 2}] | selectattr('a', 'defined') | list }} {{ [{'a': 1}, {'b': 2}] | rejectattr('a', 'defined') | list }} {{ [{'a': 0}, {'a': 2}] | selectattr('a') | list | length }} {{ [1, 2, 3, 4, 5] | select('>', 2) | list }} {{ [1, 2, 3] | batch(2) | list }}
{{ x is defined }} {{ messages is defined }} {{ none is none }} {{ 'a' is string }} {{ 1 is number }} {{ 1 is integer }} {{ 1.5 is float }} {{ true is boolean }} {{ true is number }} {{ {} is mapping }} {{ [] is iterable }} {{ 'a' is iterable }} {{ [] is sequence }} {{ 3 is odd }} {{ 4 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ 1 is eq 1 }} {{ 1 is in [1, 2] }} {{ 'A' is upper }} {{ 1 is not none }} {{ true is true }} {{ 1 is true }} {{ raise_exception is callable }} {{ none is sameas none }} {{ not x is defined }} {{ 2 is ge 2 }}
{{ {'b': [1, 2.5, none, true], 'a': 'é"\\\n\t<>&\x01'} | tojson }} {{ {'b': 1, 'a': []} | tojson(sort_keys=true) }} {{ [] | tojson }} {{ {} | tojson(indent=2) }} {{ 'é😀' | tojson(ensure_ascii=true) }} {{ [1, {'a': 2}] | tojson(separators=(',', ':')) }}
{{ {'a': [1, {'b': []}], 'c': {}} | tojson(indent=2) }}
{{ strftime_now('%Y-%m-%d %H:%M:%S %d %b %y %B %A %a %j %I %p %%') }}
{{ 'a' 'b' }} {{ "\x41\u00e9\t|" }} {{ 'multi
line' }} {{ 1_000 }} {{ [1, 2,] }} {{ {'a': 1,} }} {{ ((1)) }} {{ () }} {{ (1,) | length }} {{ -2 ** 2 }} {{ +3 }} {{ 10 - 2 - 3 }} {{ 'a' + 'b' | upper }} {{ ('a' + 'b') | upper }} {{ [[1, 2], [3]] | map('first') | list }} {{ [[1, 2], [3]][0][1] }} {{ messages[0]['role'] }} {{ messages[0].role.upper()[0] }}
{% raw %}{{ not me }} {% nor this %}{% endraw %} {{ '{{' }} {{ '}}' }} {{ {'a': {'b': 1}}}}
{% if a is defined %}1{% elif messages | length > 100 %}2{% elif messages %}3{% else %}4{% endif %}{% if false %}x{% endif %}{% if 0 %}{% else %}z{% endif %}
{{ messages | map(attribute='role') | list }} {{ messages | selectattr('role', 'in', ['user', 'tool']) | list | length }} {{ messages | map(attribute='content') | select('string') | map('length') | list }} {{ (messages | last).role }} {{ messages[-1].role }}
{{ 'indent\nme\n\nx' | indent(2) }} {{ 'indent\nme' | indent(2, true) }} {{ 'a' | indent }}
{% for a in [1, 2] %}{% for b in [3, 4] %}{{ loop.index }}{% if b == 4 %}{% break %}{% endif %}{% endfor %}|{% endfor %} {% for a, b in [[1, 2], (3, 4)] %}{{ a + b }} {% endfor %} {% for (a, b) in [[1, 2]] %}{{ a }}{% endfor %} {% set outer = 'o' %}{% for i in [1] %}{{ outer }}{% set outer = 'i' %}{{ outer }}{% endfor %}{{ outer }}
{% set d = {'a': 1} %}{% set _ = d.update({'b': 2}) %}{{ d }}
{% set l = [1] %}{% set _ = l.append(2) %}{{ l }}
{{ raise_exception('stop ' ~ 1) }}
{{ nothing.attribute }}
{{ none.attribute }}|{{ 'a'.nope }}|{{ messages.nope }}|
{{ nothing() }}
{{ 1 + 'a' }}
{{ 1 / 0 }}
{{ ''.__class__ }}|
{{ 5 | length }}
{{ 'a' < 1 }}
{% for x in 5 %}{% endfor %}
"""
start = 0
lines = snippets.strip("\n").split("\n")
position = 0
while position < len(lines):
    line = lines[position]
    while line.count("{{") > line.count("}}") + line.count("'{{'") and position + 1 < len(lines) and "multi" in line:
        position += 1
        line += "\n" + lines[position]
    case(f"snippet {position}", line, talk, x_value=1)
    position += 1
for name, layout in {
    "trim": "a\n{% if true %}\n  b\n{% endif %}\n\nc\n", "indented": "a\n    {% if true %}\n    b {{ 1 }}\n    {% endif %}\nc\n\n",
    "minus": "a  \n  {%- if true -%}  \n b \n {%- endif -%} \n c", "plus": "a\n  {%+ if true %}\nb\n{% endif +%}\nc", "variable": "a\n  {{ 1 }}\n  {{- 2 }}  \n{{ 3 -}}  \n b",
    "comment": "a\n  {# x #}\n  b {# y #}\nc", "mid": "a {% if true %} b {% endif %} c\n", "crlf": "a\r\n{% if true %}\r\nb\r\n{% endif %}\r\n", "tab": "\t{% if true %}\tb\n\t{% endif %}\n",
    "first": "  {% if true %}x{% endif %}", "two": "{% if true %}\n{% if true %}\n  {% if true %}x{% endif %}\n{% endif %}\n{% endif %}\ny", "raw": "a\n  {% raw %}\n  {{ x }}\n  {% endraw %}\nb",
}.items():
    case(f"layout {name}", layout, user)
folder = os.path.join(sys.argv[1], "chat-templates")
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as out:
    out.write('{ "reference": "jinja2 %s", "cases": [\n%s\n] }\n' % (jinja2.__version__, ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in cases)))
print(len(cases), sum("error" in entry for entry in cases), [(e["name"], e["error"][:80]) for e in cases if "error" in e])
