using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>
/// Creates ids for cells without one. They are deterministic: the same notebook always gets the same ids.
/// </summary>
internal static class CellIds
{
    public static string New(string seed, IEnumerable<string> taken)
    {
        var used = taken.ToHashSet(StringComparer.Ordinal);
        for (var attempt = 0; ; attempt++)
        {
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{attempt}:{seed}"));
            var id = Convert.ToHexStringLower(hash)[..8];
            if (!used.Contains(id)) return id;
        }
    }

    public static void Complete(JsonArray cells)
    {
        var taken = cells.Select(cell => (string?)cell!["id"]).OfType<string>().ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < cells.Count; i++)
        {
            var cell = (JsonObject)cells[i]!;
            if (cell.ContainsKey("id")) continue;
            var id = New($"{i}:{MultilineText.Join(cell["source"])}", taken);
            taken.Add(id);
            cell.Insert(cell.IndexOf("cell_type") + 1, "id", id);
        }
    }
}
