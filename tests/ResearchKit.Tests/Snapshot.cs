using System.Runtime.CompilerServices;

namespace ResearchKit.Tests;

/// <summary>Compares a text with the approved one beside the test: <c>Test.Name.verified.txt</c>.</summary>
/// <remarks>A difference writes <c>.received.txt</c>; to approve, rename it over the verified file.</remarks>
internal static class Snapshot
{
    public static void Match(string actual, [CallerMemberName] string name = "", [CallerFilePath] string file = "")
    {
        var stem = Path.Combine(Path.GetDirectoryName(file)!, $"{Path.GetFileNameWithoutExtension(file)}.{name}");
        var (verified, received) = ($"{stem}.verified.txt", $"{stem}.received.txt");
        var text = actual.ReplaceLineEndings("\n").TrimEnd() + "\n";
        var expected = File.Exists(verified) ? File.ReadAllText(verified).ReplaceLineEndings("\n") : "";
        if (expected == text)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, text);
        Assert.Fail($"{Path.GetFileName(verified)} differs from what was made; see "
            + $"{Path.GetFileName(received)}.\n{FirstDifference(expected, text)}");
    }

    private static string FirstDifference(string expected, string actual)
    {
        var (left, right) = (expected.Split('\n'), actual.Split('\n'));
        for (var line = 0; line < Math.Max(left.Length, right.Length); line++)
        {
            var (approved, made) = (left.ElementAtOrDefault(line), right.ElementAtOrDefault(line));
            if (approved != made) return $"line {line + 1}\n  approved: {approved}\n  made:     {made}";
        }
        return "only the line ends differ";
    }
}
