using System.Diagnostics;
using System.Reflection;

namespace ResearchKit.Native;

/// <summary>How this program starts itself again.</summary>
internal static class ThisProgram
{
    /// <summary>This program, to be started with other arguments; null where it cannot be told what to start.</summary>
    /// <param name="arguments">For its <c>Main</c>.</param>
    public static ProcessStartInfo? ToStart(params IEnumerable<string> arguments)
    {
        if (Environment.ProcessPath is not { } program) return null;
        var start = new ProcessStartInfo(program) { UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            if (Assembly.GetEntryAssembly()?.Location is not { Length: > 0 } entry) return null;
            start.ArgumentList.Add("exec");
            AddIfThere("--runtimeconfig", Path.ChangeExtension(entry, ".runtimeconfig.json"));
            AddIfThere("--depsfile", Path.ChangeExtension(entry, ".deps.json"));
            start.ArgumentList.Add(entry);
        }
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return start;

        void AddIfThere(string option, string file)
        {
            if (!File.Exists(file)) return;
            start.ArgumentList.Add(option);
            start.ArgumentList.Add(file);
        }
    }
}
