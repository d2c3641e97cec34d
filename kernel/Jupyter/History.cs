using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>The input history of this session, which front ends offer to the user.</summary>
internal sealed class History
{
    private const int Session = 1;   // the only session: earlier ones are not stored
    private readonly List<(int Line, string Input)> entries = [];
    private readonly Lock gate = new();

    public void Add(int line, string input)
    {
        lock (gate) entries.Add((line, input));
    }

    /// <summary>
    /// Answers a <c>history_request</c>: the last entries, a range of them, or those that match a pattern with *
    /// and ?.
    /// </summary>
    public JsonArray Find(JsonObject request)
    {
        lock (gate)
        {
            IEnumerable<(int Line, string Input)> found = request.Text("hist_access_type") switch
            {
                "range" when (request.Number("session") ?? 0) is 0 or Session => entries.Where(
                    entry => entry.Line >= (request.Number("start") ?? 0)
                        && entry.Line < (request.Number("stop") ?? int.MaxValue)),
                "range" => [],
                "search" => Search(request.Text("pattern") ?? "*", request.Flag("unique", false))
                    .TakeLast(request.Number("n") ?? int.MaxValue),
                _ => entries.TakeLast(request.Number("n") ?? int.MaxValue),
            };
            var output = request.Flag("output", false);
            return [.. found.Select(entry => (JsonNode)new JsonArray(
                Session, entry.Line, output ? new JsonArray(entry.Input, null) : JsonValue.Create(entry.Input)))];
        }
    }

    private IEnumerable<(int Line, string Input)> Search(string pattern, bool unique)
    {
        var form = "^"
            + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal)
            + "$";
        var found = entries.Where(entry => Regex.IsMatch(entry.Input, form, RegexOptions.Singleline, TimeSpan.FromSeconds(1)));
        return unique ? found.GroupBy(entry => entry.Input).Select(same => same.Last()).OrderBy(entry => entry.Line) : found;
    }
}
