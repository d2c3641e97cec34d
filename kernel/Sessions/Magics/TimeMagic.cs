using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary><c>#!time</c>: measures the rest of the cell.</summary>
internal static class TimeMagic
{
    public static Command Create(MagicCall call)
    {
        var command = new Command("time", "Measures how long the rest of the cell takes.");
        command.SetAction(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            call.Run.AtEnd(() =>
                call.Run.Scope.Outputs?.Show(Formatted.Raw(Told(Stopwatch.GetElapsedTime(start)), "text/plain"),
                    Guid.NewGuid().ToString("N")));
        });
        return command;
    }

    private static string Told(TimeSpan elapsed) =>
        string.Create(CultureInfo.InvariantCulture, $"Wall time: {elapsed.TotalMilliseconds:0.####}ms");
}
