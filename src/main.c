/* malle: one program; the first word says which command or, started by the master, which role it is. */
int main(void)
{
    return 2;
}
