using System.Text;

namespace ResearchKit.Kernel.Sessions;

/// <summary>Takes the console for the cells: what they write becomes output, on whatever thread they write it.</summary>
internal static class ConsoleRouter
{
    private static readonly Lock Gate = new();
    private static bool installed;

    /// <summary>Puts itself between the program and the console; outside cells all goes to the console as before.</summary>
    public static void Install()
    {
        lock (Gate)
        {
            if (installed) return;
            installed = true;
            Console.SetOut(new Writer("stdout", Console.Out) { NewLine = "\n" });
            Console.SetError(new Writer("stderr", Console.Error) { NewLine = "\n" });
            Console.SetIn(new Reader(Console.In));
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

    private sealed class Reader(TextReader console) : TextReader
    {
        public override int Peek() => Allowed().Peek();

        public override int Read() => Allowed().Read();

        public override string? ReadLine() => Allowed().ReadLine();

        private TextReader Allowed() => CellScope.Current is null ? console
            : throw new InvalidOperationException("A cell cannot read from the console; give it its values in the parameters cell.");
    }
}
