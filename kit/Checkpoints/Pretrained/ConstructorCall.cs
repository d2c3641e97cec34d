using System.Text.Json;
using System.Text.RegularExpressions;

namespace ResearchKit.Checkpoints;

/// <summary>
/// A constructor call in Python syntax, parsed into name and arguments; it is never executed.
/// </summary>
/// <param name="Name">Name of the constructor, without its modules.</param>
/// <param name="Arguments">Argument values by parameter name.</param>
internal sealed partial record ConstructorCall(string Name, IReadOnlyDictionary<string, JsonElement> Arguments)
{
    /// <summary>
    /// Parses a call; returns null if the text is not a call, or if an argument is unknown, repeated or not a plain
    /// value.
    /// </summary>
    /// <param name="text">
    /// The call, such as <c>ResNet(Bottleneck,[1,2,2,1],groups=4)</c>; parentheses may be missing.
    /// </param>
    /// <param name="parameters">The constructor's parameters in order.</param>
    public static ConstructorCall? Parse(string text, IReadOnlyList<string> parameters)
    {
        if (Call().Match(text) is not { Success: true } call) return null;
        var arguments = new Dictionary<string, JsonElement>();
        var parts = Split(call.Groups["arguments"].Value);
        for (var place = 0; place < parts.Count; place++)
        {
            var named = Named().Match(parts[place]);
            var name = named.Success ? named.Groups["name"].Value : place < parameters.Count ? parameters[place] : "";
            if (!parameters.Contains(name) || Value(named.Success ? named.Groups["value"].Value : parts[place]) is not { } value
                || !arguments.TryAdd(name, value)) return null;
        }
        return new ConstructorCall(call.Groups["name"].Value.Split('.')[^1], arguments);
    }

    /// <summary>Splits a text at the commas outside brackets.</summary>
    private static List<string> Split(string text)
    {
        var parts = new List<string>();
        var depth = 0;
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            depth += text[i] switch { '[' or '(' => 1, ']' or ')' => -1, _ => 0 };
            if (text[i] != ',' || depth != 0) continue;
            parts.Add(text[start..i].Trim());
            start = i + 1;
        }
        if (text[start..].Trim() is { Length: > 0 } last) parts.Add(last);
        return parts;
    }

    private static JsonElement? Value(string text)
    {
        var json = Word().Replace(text,
            word => word.Value switch { "True" => "true", "False" => "false", "None" => "null", _ => $"\"{word.Value}\"" });
        try
        {
            using var value = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 4 });
            return value.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"^\s*(?<name>[A-Za-z_][\w.]*)\s*(\((?<arguments>.*)\))?\s*$",
        RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Call();

    [GeneratedRegex(@"^(?<name>[A-Za-z_]\w*)\s*=\s*(?<value>.+)$", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Named();

    [GeneratedRegex(@"(?<![\w.])[A-Za-z_][\w.]*", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
