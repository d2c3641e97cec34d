using System.Runtime.CompilerServices;
using System.Text;
using ResearchKit.Kernel.Cells.Globals;

namespace ResearchKit.Kernel.Cells;

/// <summary>
/// Redirects the console for cells: what they write on any thread becomes output, and reads become input
/// requests.
/// </summary>
internal static class ConsoleRouter
{
    private static readonly Lock Gate = new();
    private static Reader? reader;
    private static TextReader? input;

    /// <summary>
    /// Replaces the console's streams. Outside of cells they pass everything on to the real console. Code that sets
    /// the
    /// console's input encoding, such as F# Interactive, replaces the input stream; call this again after that.
    /// </summary>
    public static void Install()
    {
        lock (Gate)
        {
            if (reader is null)
            {
                Console.SetOut(new Writer("stdout", Console.Out) { NewLine = "\n" });
                Console.SetError(new Writer("stderr", Console.Error) { NewLine = "\n" });
                reader = new Reader(Console.In);
            }
            if (Console.In == input) return;
            Console.SetIn(reader);
            input = Console.In;
        }
    }

    private sealed class Writer(string stream, TextWriter console) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override IFormatProvider FormatProvider => System.Globalization.CultureInfo.InvariantCulture;

        public override void Write(char value) => Write(new ReadOnlySpan<char>(in value));

        public override void Write(string? value) => Write(value.AsSpan());

        public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

        public override void Write(ReadOnlySpan<char> buffer)
        {
            if (CellScope.Current is not { } cell)
            {
                console.Write(buffer);
                return;
            }
            cell.Outputs?.Write(stream, buffer);
            cell.StopIfAsked();
        }

        public override void Flush()
        {
            if (CellScope.Current is null) console.Flush();
        }
    }

    /// <summary>Reads the user's answers to input requests, line by line.</summary>
    private sealed class Reader(TextReader console) : TextReader
    {
        private readonly ConditionalWeakTable<CellScope, StringBuilder> answered = [];

        public override int Peek() => CellScope.Current is { } cell ? Rest(cell)[0] : console.Peek();

        public override int Read()
        {
            if (CellScope.Current is not { } cell) return console.Read();
            var rest = Rest(cell);
            var first = rest[0];
            rest.Remove(0, 1);
            return first;
        }

        public override string? ReadLine()
        {
            if (CellScope.Current is not { } cell) return console.ReadLine();
            var rest = Rest(cell);
            var text = rest.ToString();
            var end = text.IndexOf('\n', StringComparison.Ordinal);
            rest.Remove(0, end + 1);
            return text[..end];
        }

        private StringBuilder Rest(CellScope cell)
        {
            var rest = answered.GetOrCreateValue(cell);
            if (rest.Length > 0) return rest;
            return rest.Append(CellFunctions.Ask("", secret: false)).Append('\n');
        }
    }
}
