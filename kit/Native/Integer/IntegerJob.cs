namespace ResearchKit.Native;

/// <summary>How the codes of a weight are stored.</summary>
internal enum CodeStorage
{
    /// <summary>Not at all: the products cannot take such codes.</summary>
    None,

    /// <summary>A signed byte each.</summary>
    Bytes,

    /// <summary>4 bits each, numbers from 0.</summary>
    Nibbles,

    /// <summary>4 bits each, places in a table of 16 whole numbers.</summary>
    Table,
}

/// <summary>
/// What a product of whole numbers reads and writes; a panel is 16 outputs, a segment some inputs with one scale.
/// </summary>
internal unsafe struct IntegerJob
{
    /// <summary>Most inputs of a segment: so many products of 16 and 9 bits fit into 32 bits.</summary>
    public const int LongestSegment = 256;

    /// <summary>Outputs of a panel.</summary>
    public const int PanelWidth = 16;

    /// <summary>Rows that are multiplied together.</summary>
    public const int RowBlock = 4;

    public CodeStorage Storage;
    public int Outputs, Inputs, Rows;     // Inputs: rounded up to a multiple of 4
    public int Segment;                   // inputs of a segment; the last one may be shorter
    public int SegmentsOfGroup, Groups;   // segments that share a scale of the weight; scales of a row of the weight
    public int Zero;                      // of all groups, where Zeros is null

    public byte* Codes;                   // [panels][inputs / 2][16 outputs][2 inputs]; nibbles: see CodePanels
    public float* Scales;                 // [panels][groups][16]
    public sbyte* Zeros;                  // as the scales, or null
    public sbyte* Table;                  // low bytes, then high bytes, of 16 numbers of 16 bits

    public float* Input;                  // [rows][InputStride]
    public int InputWidth;                // without the rounding up
    public float Given;                   // scale of all inputs; 0 where it is found
    public float Largest;                 // largest whole number that an input becomes
    public float Factor;                  // of all results
    public bool IsByRow;                  // whether a row of inputs has one scale, instead of one for each segment

    public short* X;                      // [rows, rounded up to a multiple of 4][inputs]
    public float* XScales;                // [rows][segments]
    public int* XSums;                    // sums of X by segment
    public float* Bias;                   // [outputs], or null
    public float* Y;                      // [rows][outputs]

    public readonly int Segments => (Inputs + Segment - 1) / Segment;

    public readonly int Panels => (Outputs + PanelWidth - 1) / PanelWidth;

    public readonly int PaddedRows => Rows == 1 ? 1 : (Rows + RowBlock - 1) / RowBlock * RowBlock;
}
